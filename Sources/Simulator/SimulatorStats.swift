import JSON

/// Exact counts over all calls for messages since the start or the last reset.
package struct SimulatorStats: Sendable {
    /// How often one prompt was called, and how often that was paid for.
    package struct Prompt: Sendable {
        package var calls = 0
        package var billed = 0
    }

    /// What happened within one second.
    package struct Second: Sendable {
        /// Seconds UTC.
        package var second: Int64 = 0
        package var calls = 0
        package var billed = 0
        /// Input that counts against limits, and output, of calls that ended in this second.
        package var inputTokens = 0
        package var outputTokens = 0
    }

    /// What became of message batches; what they cost is part of the sums over everything too.
    package struct Batches: Sendable {
        package var created = 0
        package var rows = 0
        /// Rows that have come to their end, by what became of them.
        package var byResult: [String: Int] = [:]
        package var billedRows = 0
        package var usage = Usage()
        package var costNanodollars: Int64 = 0

        package var processing: Int { rows - byResult.values.reduce(0, +) }

        mutating func end(_ end: CallEnd) {
            byResult[end.result ?? "", default: 0] += 1
            guard end.isBilled else { return }
            billedRows += 1
            usage.add(end.usage)
            costNanodollars += end.cost
        }
    }

    /// Without the rows of batches.
    package var calls = 0
    /// Calls and rows of batches that cost money; so do all sums of tokens and money count both.
    package var billedCalls = 0
    package var batches = Batches()
    /// Ended calls by the status that was sent; 0 if none was.
    package var byStatus: [Int: Int] = [:]
    package var byFault: [String: Int] = [:]
    package var inFlight = 0
    package var maxConcurrent = 0
    package var usage = Usage()
    package var costNanodollars: Int64 = 0
    package var distinctPrompts = 0
    package var maxCallsPerPrompt = 0
    package var maxBilledCallsPerPrompt = 0
    /// Billed calls beyond the first of each prompt: what was paid twice.
    package var billedDuplicates = 0
    /// Requests to anything but messages.
    package var otherRequests = 0
    /// The last minutes, oldest first; seconds without a call are left out.
    package var series: [Second] = []

    /// The same as JSON: the body of `GET /_sim/stats`.
    package var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            writeCounts(&json)
            write(batches, &json)
            Self.write(byStatus.map { (String($0.key), $0.value) }, "by_status", &json)
            Self.write(byFault.map { ($0.key, $0.value) }, "by_fault", &json)
            json.key("series")
            json.array { list in for second in series { Self.write(second, &list) } }
        }
        return json.bytes
    }

    private func writeCounts(_ json: inout JSONWriter) {
        json.field("calls", calls)
        json.field("billed_calls", billedCalls)
        json.field("in_flight", inFlight)
        json.field("max_concurrent", maxConcurrent)
        json.field("distinct_prompts", distinctPrompts)
        json.field("max_calls_per_prompt", maxCallsPerPrompt)
        json.field("max_billed_calls_per_prompt", maxBilledCallsPerPrompt)
        json.field("billed_duplicates", billedDuplicates)
        usage.write(to: &json, nanodollars: costNanodollars)
        json.field("other_requests", otherRequests)
    }

    private func write(_ batches: Batches, _ json: inout JSONWriter) {
        json.key("batches")
        json.object { json in
            json.field("created", batches.created)
            json.field("rows", batches.rows)
            json.field("processing", batches.processing)
            for result in ["succeeded", "errored", "canceled", "expired"] {
                json.field(result, batches.byResult[result, default: 0])
            }
            json.field("billed_rows", batches.billedRows)
            batches.usage.write(to: &json, nanodollars: batches.costNanodollars)
        }
    }

    private static func write(_ counts: [(String, Int)], _ name: String, _ json: inout JSONWriter) {
        json.key(name)
        json.object { json in
            for (key, count) in counts.sorted(by: { $0.0 < $1.0 }) { json.field(key, count) }
        }
    }

    private static func write(_ second: Second, _ json: inout JSONWriter) {
        json.object { json in
            json.field("second", second.second)
            json.field("calls", second.calls)
            json.field("billed", second.billed)
            json.field("input_tokens", second.inputTokens)
            json.field("output_tokens", second.outputTokens)
        }
    }
}
