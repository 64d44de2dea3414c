package import Jobs

/// What happens to a provider batch once it is sealed.
package enum ProviderBatchUpdate: Sendable {
    /// It is being sent, with so many requests.
    case send(requests: Int)
    /// Its owner lets go of it.
    case enter(BatchStep)
    /// The provider's list did not have it.
    case countMiss
    /// What the provider has under its ID is another's: it is looked for again.
    case rejectID
    /// What is out with it from this job on goes with another, of this token.
    case split(token: String, from: Int64)
    /// One who is alive looks after it.
    case own(by: WorkerID)
    /// Its soonest deadline is that of the jobs that still wait for it.
    case refreshDeadline
    case end
}

/// A provider batch's next state, and when it is looked after again.
package struct BatchStep: Hashable, Sendable {
    package let state: ProviderBatch.State
    package let after: Milliseconds
    /// Nil leaves the one that it has.
    package let providerID: String?
    /// A failure, if it is one; nil ends the failures in a row.
    package let error: String?

    /// An error is cut to so many characters.
    private static let longestError = 500

    package init(
        _ state: ProviderBatch.State, after: Milliseconds = 0, providerID: String? = nil,
        error: String? = nil
    ) {
        self.state = state
        self.after = after
        self.providerID = providerID
        self.error = error.map { String($0.prefix(Self.longestError)) }
    }
}
