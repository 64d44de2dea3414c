import JSON
import Jobs

/// The small forms that several objects share.
extension JSONWriter {
    mutating func time(_ name: String, _ time: Timestamp?) {
        field(name, time?.text)
    }

    /// Decimal US dollars; nothing is `"0"`.
    mutating func money(_ name: String, _ money: Money) {
        field(name, money == .zero ? "0" : money.description)
    }

    mutating func strings(_ name: String, _ values: [String]) {
        key(name)
        array { writer in values.forEach { writer.string($0) } }
    }

    /// An object, or null.
    mutating func optional<Value>(
        _ name: String, _ value: Value?, _ body: (inout JSONWriter, Value) -> Void
    ) {
        key(name)
        guard let value else { return null() }
        object { body(&$0, value) }
    }

    mutating func waitingFor(_ name: String, _ waiting: WaitingFor?) {
        optional(name, waiting) { writer, waiting in
            writer.field("reason", waiting.reason.rawValue)
            writer.field("detail", waiting.detail)
            writer.time("until", waiting.until)
            writer.time("estimated_at", waiting.estimatedAt)
        }
    }

    /// What queued jobs wait for, as totals.
    mutating func waiting(_ name: String, _ totals: [WaitingTotal]) {
        key(name)
        array { writer in
            for total in totals {
                writer.object { writer in
                    writer.field("reason", total.waiting.reason.rawValue)
                    writer.field("detail", total.waiting.detail)
                    writer.time("until", total.waiting.until)
                    writer.time("estimated_at", total.waiting.estimatedAt)
                    writer.field("jobs", total.jobs)
                }
            }
        }
    }

    mutating func error(_ name: String, _ error: JobError?) {
        optional(name, error) { writer, error in
            writer.field("type", error.type)
            writer.field("message", error.message)
            writer.field("status", error.status)
            writer.field("request_id", error.requestID)
            writer.field("retryable", error.retryable)
        }
    }

    mutating func usage(_ name: String, _ usage: Usage?) {
        optional(name, usage) { writer, usage in
            writer.field("input_tokens", usage.inputTokens)
            writer.field("output_tokens", usage.outputTokens)
            writer.field("cache_creation_input_tokens", usage.cacheWriteTokens)
            writer.field("cache_read_input_tokens", usage.cacheReadTokens)
        }
    }

    mutating func counts(_ name: String, _ counts: StateCounts) {
        key(name)
        object { writer in
            for state in JobState.allCases { writer.field(state.rawValue, counts[state]) }
            writer.field("total", counts.total)
        }
    }

    /// `{"data":[…],"next_cursor":…}`.
    mutating func page<Element>(
        _ elements: [Element], next: String? = nil, asOf: Timestamp? = nil,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        object { writer in
            writer.key("data")
            writer.array { writer in
                for element in elements { body(&writer, element) }
            }
            writer.field("next_cursor", next)
            if let asOf { writer.time("as_of", asOf) }
        }
    }
}
