/// Jobs that went to the provider together, as one of its own batches, at half the price.
package struct ProviderBatch: Hashable, Sendable {
    package enum State: String, Sendable {
        /// Jobs still join it.
        case filling
        /// To be made at the provider.
        case sealed
        /// It was sent, and the result is not known yet.
        case creating
        /// The provider works on it.
        case away
        /// The provider was asked to stop.
        case recalled
        /// Its jobs go back to the ordinary line; it never reached the provider.
        case returning
        /// What is left of it goes back to the ordinary line; the provider may have billed it.
        case lost
        case ended
    }

    package var id: ProviderBatchID
    package var route: RouteKey
    /// Begins the `custom_id` of each of its requests: what tells it from all others.
    package var token: String
    package var state: State
    /// What the provider calls it.
    package var providerID: String?
    /// Batches of the provider that turned out to be somebody else's.
    package var rejectedIDs: [String]
    package var requests: Int
    package var sentAt: Timestamp?
    /// From then on what is not done is called back; nil for never.
    package var recallAt: Timestamp?
    /// Failures in a row.
    package var failures: Int
    /// Whether anybody still wants an answer of it.
    package var isWanted: Bool

    package init(
        id: ProviderBatchID, route: RouteKey, token: String, state: State, providerID: String?,
        rejectedIDs: [String], requests: Int, sentAt: Timestamp?, recallAt: Timestamp?, failures: Int,
        isWanted: Bool
    ) {
        self.id = id
        self.route = route
        self.token = token
        self.state = state
        self.providerID = providerID
        self.rejectedIDs = rejectedIDs
        self.requests = requests
        self.sentAt = sentAt
        self.recallAt = recallAt
        self.failures = failures
        self.isWanted = isWanted
    }

    /// The name of one of its requests: at most 64 characters of those that the provider allows.
    package func customID(of key: AttemptKey) -> String {
        "\(token)-\(key.job.value)-\(key.number)"
    }

    /// Nil if the name is none of its requests'.
    package func key(of customID: String) -> AttemptKey? {
        let parts = customID.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == token, let job = Int64(parts[1]), let number = Int(parts[2])
        else {
            return nil
        }
        return AttemptKey(job: JobID(job), number: number)
    }
}

/// A provider batch's number in the store.
package struct ProviderBatchID: Hashable, Sendable {
    package let value: Int64

    package init(_ value: Int64) {
        self.value = value
    }
}

/// A request of a provider batch, as it is sent.
package struct BatchedRequest: Sendable {
    package var key: AttemptKey
    /// The Messages request.
    package var request: [UInt8]

    package init(key: AttemptKey, request: [UInt8]) {
        self.key = key
        self.request = request
    }
}
