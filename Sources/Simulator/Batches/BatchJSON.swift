import JSON

/// The wire forms of batches and of their results.
extension MessageBatch {
    /// `base` comes before the path in the address of the results: scheme and authority, or nothing.
    func write(to json: inout JSONWriter, base: String) {
        json.object { json in
            json.field("id", id)
            json.field("type", "message_batch")
            json.field("processing_status", status)
            json.key("request_counts")
            json.object { counts in
                // All stay under processing until the whole batch has ended, as the provider's manual has it.
                counts.field("processing", endedAt == nil ? rowCount : 0)
                for name in ["succeeded", "errored", "canceled", "expired"] {
                    counts.field(name, endedAt == nil ? 0 : self.counts[name, default: 0])
                }
            }
            json.field("created_at", Self.time(createdAt))
            json.field("expires_at", Self.time(expiresAt))
            json.field("ended_at", endedAt.map(Self.time))
            json.field("cancel_initiated_at", cancelInitiatedAt.map(Self.time))
            json.field("archived_at", archivedAt.map(Self.time))
            json.field(
                "results_url",
                endedAt == nil || archivedAt != nil ? nil : "\(base)/v1/messages/batches/\(id)/results")
        }
    }

    /// One line of the results, with its end.
    func line(_ row: BatchRow) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("custom_id", row.customID)
            json.key("result")
            json.object { result in
                result.field("type", row.outcome.name)
                switch row.outcome {
                case .succeeded(let reply):
                    // It was read and answered when it succeeded, so that it cannot fail now.
                    result.field("message", raw: (try? terms.message(row, reply))?.body())
                case .errored(let error): result.field("error", raw: error.body(requestID: nil))
                case .processing, .canceled, .expired: break
                }
            }
        }
        json.newline()
        return json.bytes
    }

    private var status: String {
        if endedAt != nil { return "ended" }
        return cancelInitiatedAt == nil ? "in_progress" : "canceling"
    }

    /// The provider's times have six digits of the second.
    private static func time(_ milliseconds: Int64) -> String {
        let digits = String(milliseconds % 1000)
        let fraction = String(repeating: "0", count: 3 - digits.utf8.count) + digits + "000"
        return rfc3339(milliseconds: milliseconds).dropLast() + ".\(fraction)Z"
    }
}
