/// What its keeper learned of a consignment.
package enum ConsignmentNews: Sendable {
    /// The provider made it, under this name.
    case created(String)
    /// It certainly was not made: again after so long.
    case unsent(String, after: Milliseconds)
    /// Nobody knows whether it was made: the provider's list will tell.
    case unknown(String, after: Milliseconds)
    /// The provider's list does not have it; told so twice, it is sent again.
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

/// Who tends consignments.
package struct TendRequest: Sendable {
    package var keeper: WorkerID
    package var terms: HalfPriceTerms

    package init(keeper: WorkerID, terms: HalfPriceTerms) {
        self.keeper = keeper
        self.terms = terms
    }
}

/// What a turn of tending came to.
package struct Tending: Sendable {
    /// What the keeper must see to now; nobody else does while the keeper lives.
    package var consignment: Consignment?
    /// Bounded work was cut short.
    package var more: Bool

    package init(consignment: Consignment? = nil, more: Bool = false) {
        self.consignment = consignment
        self.more = more
    }
}

/// The part of the store that keeps consignments; the rules of `JobStore` hold.
package protocol ConsignmentStore: Sendable {
    /// Gathers ready jobs of the half-price line into consignments, calls back those whose time is short, and gives the
    /// keeper the next consignment to see to.
    func tend(_ request: TendRequest, now: Now) async throws -> Tending
    /// Says that it is about to be sent; false where it is not the keeper's to send any more, or nobody wants it.
    func beginSending(_ id: ConsignmentID, keeper: WorkerID, now: Now) async throws -> Bool
    /// All that is still out with it.
    func requests(of id: ConsignmentID) async throws -> [ConsignedRequest]
    /// Notes what the keeper learned, and lets go of it; does nothing where it is another's by now.
    func note(_ news: ConsignmentNews, of id: ConsignmentID, keeper: WorkerID, now: Now) async throws
    /// Those of the provider's names that some consignment bears.
    func known(_ providerIDs: [String]) async throws -> Set<String>
    /// Those of the attempts that are still out with it, as their worker would have them.
    func consigned(_ keys: [AttemptKey], to id: ConsignmentID) async throws -> [ClaimedAttempt]
}
