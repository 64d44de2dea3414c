/// A batch as the provider shows it.
package struct RemoteBatch: Hashable, Sendable {
    package var id: String
    package var createdAt: Timestamp
    package var requests: Int
    package var hasEnded: Bool
    package var isCanceling: Bool

    package init(id: String, createdAt: Timestamp, requests: Int, hasEnded: Bool, isCanceling: Bool) {
        self.id = id
        self.createdAt = createdAt
        self.requests = requests
        self.hasEnded = hasEnded
        self.isCanceling = isCanceling
    }
}

/// What became of making a batch.
package enum BatchCreation: Sendable {
    case created(RemoteBatch)
    /// The provider said no.
    case refused(Refusal)
    /// Nothing was sent.
    case unsent(String)
    /// The connection broke, or the provider failed: it may have been made.
    case unknown(String)
}

/// One line of a batch's results.
package struct BatchLine: Sendable {
    package var customID: String
    package var outcome: Outcome

    package init(customID: String, outcome: Outcome) {
        self.customID = customID
        self.outcome = outcome
    }
}

/// A provider that takes batches.
package protocol BatchProvider: Sendable {
    var batchServices: [ServiceKey] { get }

    func create(_ providerBatch: ProviderBatch, _ requests: [BatchedRequest]) async -> BatchCreation
    /// Newest first, back to that time. Throws `JobError`.
    func batches(of service: ServiceKey, since: Timestamp) async throws -> [RemoteBatch]
    /// Nil if the provider does not know it. Throws `JobError`.
    func batch(_ id: String, of service: ServiceKey) async throws -> RemoteBatch?
    /// Throws `JobError`.
    func cancel(_ id: String, of service: ServiceKey) async throws
    /// Hands on the lines in portions, in the provider's order. Throws `JobError` if they cannot be read to their end,
    /// and whatever `each` throws.
    func results(
        of id: String, on service: ServiceKey, each: @Sendable ([BatchLine]) async throws -> Void
    ) async throws
}
