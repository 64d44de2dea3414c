import HTTPClient
import Jobs

extension LimitReport {
    /// Reads `anthropic-ratelimit-{requests,input-tokens,output-tokens}-{limit,remaining}`; nil if none is
    /// there.
    ///
    /// `-reset` is left alone: it says when the bucket is full again, which the level says better. So is
    /// `-tokens-`
    /// without a direction: it repeats whichever other limit is the tightest.
    init?(_ headers: HTTPHeaders) {
        func window(_ name: String) -> Window? {
            let prefix = "anthropic-ratelimit-\(name)-"
            guard let limit = headers[prefix + "limit"].flatMap({ Int($0) }), limit > 0 else { return nil }
            let remaining = headers[prefix + "remaining"].flatMap { Int($0) }
            return Window(limit: limit, remaining: remaining.map { max(0, $0) })
        }
        self.init(
            requests: window("requests"), inputTokens: window("input-tokens"),
            outputTokens: window("output-tokens"))
        if requests == nil, inputTokens == nil, outputTokens == nil { return nil }
    }
}

extension RetryAfter {
    /// Reads `retry-after-ms`, or `retry-after` as seconds, whole or not, or as an HTTP date.
    ///
    /// Nil for text, zero and what lies in the past: then the caller's own backoff is the better guess.
    init?(_ headers: HTTPHeaders, now: Timestamp) {
        let delay =
            headers["retry-after-ms"].flatMap { Self.milliseconds($0, unit: 1) }
            ?? headers["retry-after"].flatMap { value in
                Self.milliseconds(value, unit: 1000) ?? Self.until(value, from: headers.date ?? now)
            }
        guard let delay else { return nil }
        self.init(delay: delay)
    }

    private static func milliseconds(_ text: String, unit: Double) -> Milliseconds? {
        let isPlain = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let value = Double(text), value > 0 else { return nil }
        return Milliseconds(min(value * unit, Double(longest)).rounded(.up))
    }

    private static func until(_ text: String, from start: Timestamp) -> Milliseconds? {
        guard let end = Timestamp(httpDate: text), end > start else { return nil }
        return end - start
    }
}

extension HTTPHeaders {
    /// The server's own clock: a date in another header is measured against it.
    fileprivate var date: Timestamp? { self["date"].flatMap(Timestamp.init(httpDate:)) }
}

extension Timestamp {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads the one form that servers must send: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let index = Self.months.firstIndex(of: String(parts[2]))
        else {
            return nil
        }
        let month = index < 9 ? "0\(index + 1)" : "\(index + 1)"
        self.init(text: "\(parts[3])-\(month)-\(parts[1])T\(parts[4])Z")
    }
}
