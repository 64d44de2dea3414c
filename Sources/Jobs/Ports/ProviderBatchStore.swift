/// What its owner learned of a provider batch.
package enum ProviderBatchReport: Sendable {
    /// The provider made it, under this name.
    case created(String)
    /// It certainly was not made: again after so long.
    case unsent(String, after: Milliseconds)
    /// Unknown whether it was made: the provider's list will show it.
    case unknown(String, after: Milliseconds)
    /// The provider's list does not have it; if that happens twice, it is sent again.
    case missing(after: Milliseconds)
    /// Nothing new.
    case pending(after: Milliseconds)
    /// The provider was asked to stop.
    case recalled(after: Milliseconds)
    case lookFailed(String, after: Milliseconds)
    /// What bore that name is somebody else's.
    case stranger
    /// The provider takes no such thing.
    case undeliverable(String)
    /// The provider does not take it for one request's sake, which goes to the ordinary line; the others are sent again.
    case unsuitable(AttemptKey, String)
    /// The provider takes fewer requests: it becomes two.
    case tooLarge(String)
    /// The provider knows nothing of it any more.
    case lost(String)
    /// Its results were read to their end.
    case ended
}

/// Who tends provider batches.
package struct BatchMaintenanceRequest: Sendable {
    package var owner: WorkerID
    package var terms: HalfPriceTerms

    package init(owner: WorkerID, terms: HalfPriceTerms) {
        self.owner = owner
        self.terms = terms
    }
}

/// The result of one maintenance run.
package struct BatchMaintenance: Sendable {
    /// What the owner must see to now; no other worker does while the owner lives.
    package var providerBatch: ProviderBatch?
    /// Bounded work was cut short.
    package var more: Bool

    package init(providerBatch: ProviderBatch? = nil, more: Bool = false) {
        self.providerBatch = providerBatch
        self.more = more
    }
}

/// The part of the store that keeps provider batches; the rules of `Store` hold.
package protocol ProviderBatchStore: Store {
    /// Gathers ready jobs of the half-price lanes into provider batches, calls back those whose time is short, and
    /// gives the owner the next provider batch to see to.
    func maintain(_ request: BatchMaintenanceRequest) async throws -> BatchMaintenance
    /// Says that it is about to be sent; false if it is not the owner's to send any more, or no job needs it.
    func beginSending(_ id: ProviderBatchID, owner: WorkerID) async throws -> Bool
    /// All that is still out with it.
    func requests(of id: ProviderBatchID) async throws -> [BatchedRequest]
    /// Notes what the owner learned, and lets go of it; does nothing if it is another's by now.
    func note(_ news: ProviderBatchReport, of id: ProviderBatchID, owner: WorkerID) async throws
    /// Those of the provider's names that some provider batch bears.
    func known(_ providerIDs: [String]) async throws -> Set<String>
    /// Those of the attempts that are still out with it, as their worker would have them.
    func batched(_ keys: [AttemptKey], to id: ProviderBatchID) async throws -> [ClaimedAttempt]
}
