import HTTPServer
import JSON
import Jobs

/// What a caller of a compatible API says in headers, as its body belongs to the provider.
struct CallTerms {
    var draft = JobDraft()
    var idempotencyKey: String?
    var betas: [String] = []
    /// `anthropic-version`; nil if none was sent.
    var version: String?

    /// Queues of callers who wait, unless they name another.
    static let queue = "interactive"
    /// From here on sampling parameters are no part of the API.
    static let withoutSampling = "2026-10-21"

    static let names = ["queue", "tags", "cache", "deadline", "priority", "max-cost-usd", "processing"]

    private static let list = "x-renga-tags"

    init(_ head: RequestHead, now: Timestamp, cache: CacheMode) throws(Problem) {
        draft.queue = Self.queue
        draft.cache = cache
        for name in Set(head.headers.fields.map { $0.name.lowercased() }).sorted()
        where name.hasPrefix("x-renga-") {
            // A list may come in several headers (RFC 9110 §5.3).
            let text =
                name == Self.list
                ? head.headers.all(name).joined(separator: ",") : try head.onlyValue(of: name) ?? ""
            try take(Header(name: name, text: text), now: now)
        }
        idempotencyKey = try IdempotencyKey.read(head)
        betas = head.headers.all("anthropic-beta").flatMap { $0.split(separator: ",") }
            .map { $0.trimmingSpaces }.filter { !$0.isEmpty }
        version = try head.onlyValue(of: "anthropic-version")
    }

    private mutating func take(_ header: Header, now: Timestamp) throws(Problem) {
        switch header.name.dropFirst("x-renga-".count) {
        case "queue": draft.queue = try header.field.queueName()
        case "tags": draft.tags = try header.list.tags()
        case "cache": draft.cache = try header.field.choice(CacheMode.self)
        case "deadline": draft.deadline = try header.field.timeOrDuration(now: now)
        case "priority": draft.priority = try header.number.integer(in: JobLimits.priority)
        case "processing": draft.processing = try header.field.choice(Processing.self)
        case "max-cost-usd": draft.maxCost = try header.field.money()
        default:
            let suggestion = Suggestion.text(for: String(header.name.dropFirst(8)), among: Self.names)
            throw Problem(
                .invalidHeader, "“\(header.name.prefix(100))” is not a header here\(suggestion)",
                field: String(header.name.prefix(100)))
        }
    }

    /// A header's value, read as the field of a job is.
    private struct Header {
        let name: String
        let text: String

        var field: Field { Field(name: name, value: .text(text)) }
        /// A number if it is one.
        var number: Field {
            Field(name: name, value: (try? JSON.parse(Array(text.utf8))) ?? .text(text))
        }
        /// With commas between.
        var list: Field {
            Field(name: name, value: .list(text.split(separator: ",").map(\.trimmingSpaces)))
        }
    }
}

extension JSON {
    fileprivate static func text(_ text: String) -> JSON { built { $0.string(text) } }

    fileprivate static func list(_ texts: [String]) -> JSON {
        built { writer in
            writer.array { writer in
                for text in texts { writer.string(text) }
            }
        }
    }

    private static func built(_ write: (inout JSONWriter) -> Void) -> JSON {
        var writer = JSONWriter()
        write(&writer)
        do {
            return try parse(writer.bytes)
        } catch {
            preconditionFailure("what the writer writes is JSON: \(error)")
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
