import HTTPClient
import Jobs

/// The `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` family.
struct ChatRateLimits {
    private struct Window {
        var limit: Int?
        var remaining: Int?
        var reset: Milliseconds?

        init(_ headers: HTTPHeaders, _ name: String) {
            func count(_ kind: String) -> Int? {
                headers["x-ratelimit-\(kind)-\(name)"].flatMap { Int($0) }.map { max(0, $0) }
            }
            limit = count("limit").flatMap { $0 > 0 ? $0 : nil }
            remaining = count("remaining")
            reset = headers["x-ratelimit-reset-\(name)"].flatMap(Milliseconds.init(goDuration:))
        }

        /// Nil for what takes longer than a minute to refill: it belongs to a day or a month, and its end shows as
        /// a 429 with its `retry-after`.
        var perMinute: LimitReport.Window? {
            guard let limit, reset ?? 0 <= 61_000 else { return nil }
            return LimitReport.Window(limit: limit, remaining: remaining)
        }
    }

    private let requests: Window
    private let tokens: Window

    init(_ headers: HTTPHeaders) {
        requests = Window(headers, "requests")
        tokens = Window(headers, "tokens")
    }

    /// `tokens` counts input and output together; it is kept as the input's limit, whose level each answer corrects
    /// to what remains of both.
    var report: LimitReport? {
        let report = LimitReport(requests: requests.perMinute, inputTokens: tokens.perMinute)
        return report.requests == nil && report.inputTokens == nil ? nil : report
    }

    /// What a 429 without `retry-after` says by the limit that is empty.
    func wait(status: Int) -> RetryAfter? {
        guard status == 429 else { return nil }
        let resets = [requests, tokens].filter { $0.remaining == 0 }.compactMap(\.reset)
        guard let longest = resets.max(), longest > 0 else { return nil }
        return RetryAfter(delay: longest)
    }
}

extension Milliseconds {
    /// Reads a duration as Go writes it, `350ms`, `1m3s`, `2h0m59.56s`, with days too, or bare seconds; rounded up.
    ///
    /// Nil for anything else, and beyond a century.
    init?(goDuration text: String) {
        var rest = text.utf8[...]
        var sum = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { !(48...57).contains($0) }
            rest = rest[unit.endIndex...]
            guard let value = Double(Substring(digits)), let factor = Self.units[String(Substring(unit))]
            else { return nil }
            sum += value * factor
        }
        guard sum < 3_153_600_000_000 else { return nil }
        self = Milliseconds(sum.rounded(.up))
    }

    private static let units: [String: Double] = [
        "": 1000, "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000,
        "d": 86_400_000,
    ]
}
