import JSON

/// One request of a batch, from its creation to its result.
struct BatchRow: Sendable {
    enum Outcome: Sendable {
        case processing
        case succeeded(Reply)
        case errored(APIError)
        case canceled
        case expired

        /// As results and the journal name it.
        var name: String {
            switch self {
            case .processing: "processing"
            case .succeeded: "succeeded"
            case .errored: "errored"
            case .canceled: "canceled"
            case .expired: "expired"
            }
        }
    }

    /// What an answer can be written from again: answers themselves would fill the memory.
    struct Reply: Sendable {
        let usage: Usage
        let repetition: Int
        let fault: Fault.Kind?
    }

    static let never = Int64.max

    let customID: String
    let params: ArraySlice<UInt8>
    /// Milliseconds UTC at which it is done.
    var due: Int64
    var outcome = Outcome.processing

    init(_ request: BatchEnvelope.Request, due: Int64) {
        customID = request.customID
        params = request.params
        self.due = due
    }
}

/// What all rows of a batch have in common.
struct BatchTerms: Sendable {
    let batch: String
    /// Milliseconds UTC.
    let createdAt: Int64
    let version: APIVersion
    /// Those in force at the creation.
    let settings: SimulatorSettings

    /// Reads and checks what a row asks for, as late as the provider does.
    func call(_ params: [UInt8]) throws(APIError) -> MessagesCall {
        let call = try MessagesCall(parsing: params, version: version, for: .message)
        guard !call.isStream else { throw .invalid("stream: streaming is not supported in batches") }
        guard call.maxTokens > 0 else {
            throw .invalid("max_tokens: must be greater than or equal to 1 in batches")
        }
        for name in [
            "speed", "fallbacks", "fallback_credit_token", "cache_hint", "context_hint", "thread",
            "compaction",
        ] {
            guard let value = call.body[name], !value.isNull else { continue }
            throw .invalid("\(name): not supported in batches")
        }
        return call
    }

    /// The answer to a row that succeeded, the same each time.
    func message(_ row: BatchRow, _ reply: BatchRow.Reply) throws(APIError) -> MessageJSON {
        let params = Array(row.params)
        return MessageJSON(
            answering: try call(params), try Marker.find(in: params), fault: reply.fault, usage: reply.usage,
            digest: Digest(of: params), repetition: reply.repetition, settings)
    }
}
