import Jobs

@testable import HTTPClient
@testable import Models
import TestSupport

extension Property {
    static let headers = [
        Property(name: "headers", check: headers), Property(name: "header-value", check: headerValue),
        Property(name: "response-head", check: responseHead),
    ]

    private static let now = Timestamp(milliseconds: 1_790_000_000_000)

    /// Lines of names and values.
    private static func headers(_ bytes: [UInt8]) throws {
        let fields = bytes.split(separator: UInt8(ascii: "\n")).map { line in
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            return (name: Array(line[..<colon]).text, value: Array(line[colon...].dropFirst()).text)
        }
        try read(HTTPHeaders(fields))
    }

    /// The same text for every header that is read.
    private static func headerValue(_ bytes: [UInt8]) throws {
        let value = bytes.text
        try read(HTTPHeaders([("retry-after", value), ("date", value)]))
        try read(HTTPHeaders([("retry-after-ms", value)]))
        for name in ["requests", "input-tokens", "output-tokens"] {
            let prefix = "anthropic-ratelimit-\(name)-"
            try read(HTTPHeaders([(prefix + "limit", value), (prefix + "remaining", value)]))
        }
        for name in ["requests", "tokens"] {
            try read(
                HTTPHeaders([
                    ("x-ratelimit-limit-\(name)", "10"), ("x-ratelimit-remaining-\(name)", "0"),
                    ("x-ratelimit-reset-\(name)", value),
                ]))
            try read(
                HTTPHeaders([("x-ratelimit-limit-\(name)", value), ("x-ratelimit-remaining-\(name)", value)]))
        }
        let words = Refusal(status: 402, type: nil, message: value)
        var random = SeededRandom(seed: 1)
        let decision = Decision.decide(
            Outcome(.refusal(words)), failures: 0, policy: RetryPolicy(), using: &random)
        guard case .spendCapped = decision.routeEvent else { throw Broken(description: "402 is a spend cap") }
        guard let time = Timestamp(text: value) else { return }
        try demand(Timestamp(text: time.text), is: time, "a time's own text")
    }

    private static func read(_ headers: HTTPHeaders) throws {
        let chat = ChatRateLimits(headers)
        for delay in [RetryAfter(headers, now: now), chat.wait(status: 429)].compactMap(\.self) {
            try demand((1...86_400_000).contains(delay.delay), "a delay of \(delay.delay)")
        }
        for report in [LimitReport(headers), chat.report].compactMap(\.self) {
            let windows = [report.requests, report.inputTokens, report.outputTokens].compactMap(\.self)
            try demand(!windows.isEmpty, "a report of nothing")
            for window in windows { try demand(window.limit > 0 && window.remaining ?? 0 >= 0, "\(window)") }
        }
    }

    /// Lines as libcurl hands them over: at most one head, which is never informational.
    private static func responseHead(_ bytes: [UInt8]) throws {
        var parser = ResponseHeadParser()
        var heads = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let step = parser.take(Array(line).text + "\n")
            if case .complete = step { heads += 1 }
            if case .malformed = step { break }
        }
        try demand(heads, is: parser.head == nil ? 0 : 1, "heads")
        try demand((200...999).contains(parser.head?.status ?? 200), "the status")
    }
}
