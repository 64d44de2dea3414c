package import Jobs

/// A provider batch as the jobs that are out with it see it.
package struct ProviderBatchStanding: Sendable {
    /// The provider's own name for it; nil before it is sent.
    package let name: String?
    package let requests: Int
    package let recallAt: Timestamp?
    /// Why the last look at it failed.
    package let error: String?

    package init(name: String?, requests: Int, recallAt: Timestamp?, error: String?) {
        self.name = name
        self.requests = requests
        self.recallAt = recallAt
        self.error = error
    }

    /// What its jobs wait for.
    var waiting: WaitingFor {
        let error = error.map { "; the last look failed: \($0)" } ?? ""
        let name = name.map { "batch \($0)" } ?? "a batch that is about to be sent"
        return WaitingFor(
            reason: .batch, detail: "it is out with \(name) of its provider, \(requests) requests" + error,
            until: recallAt)
    }
}
