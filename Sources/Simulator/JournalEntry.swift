import JSON

/// One request as it came and as it ended.
package struct JournalEntry: Sendable {
    /// Counted from 1 since the start or the last reset, in the order of arrival.
    package let sequence: Int
    /// Milliseconds UTC.
    package let arrivedAt: Int64
    /// Path without `/v1/`: `messages`, `messages/count_tokens`.
    ///
    /// Of batches the operation: `batches.create`, `batches.get` and so on, and `batches.row` for each row, entered
    /// when it has come to its end.
    package let endpoint: String
    /// Of the body.
    package let digest: Digest
    /// The name in `[[sim:id=NAME]]` or in the header `x-sim-id`.
    package var caller: String?
    package var model: String?
    package var isStream = false
    /// Nil while the call is in flight, and if no status was sent.
    package var status: Int?
    /// The fault that struck, `rate-limit` for a limit's own 429, `abandoned` if the caller hung up.
    package var fault: String?
    package var finishedAt: Int64?
    package var usage = Usage()
    /// What the call cost; 0 if it was not billed.
    package var costNanodollars: Int64 = 0
    package var isBilled = false
    /// Of a row of a batch.
    package var row: BatchRowName?
    /// What became of a row: `succeeded`, `errored`, `canceled` or `expired`.
    package var result: String?

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("sequence", sequence)
            json.field("arrived_ms", arrivedAt)
            json.field("finished_ms", finishedAt)
            json.field("endpoint", endpoint)
            json.field("digest", digest.hex)
            json.field("caller", caller)
            json.field("model", model)
            json.field("stream", isStream)
            json.field("status", status)
            json.field("fault", fault)
            usage.write(to: &json, nanodollars: costNanodollars)
            json.field("billed", isBilled)
            json.field("service_tier", usage.isBatch ? "batch" : "standard")
            guard let row else { return }
            json.field("batch_id", row.batch)
            json.field("custom_id", row.customID)
            json.field("result", result)
        }
    }
}

/// The name of one row of a batch.
package struct BatchRowName: Sendable, Equatable {
    package let batch: String
    package let customID: String

    init(_ batch: String, _ customID: String) {
        self.batch = batch
        self.customID = customID
    }
}

/// How a call ended, as its journal entry will say.
struct CallEnd: Sendable {
    var status: Int?
    var fault: String?
    var model: String?
    var usage = Usage()
    var cost: Int64 = 0
    var isBilled = false
    /// Of a row of a batch.
    var result: String?
}
