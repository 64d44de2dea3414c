package import Jobs

/// What a claim reads: all of it as it was before the claim's own changes, which the claim itself knows.
package protocol ClaimReads: GateReads {
    /// The first ready jobs of a lane, or the first behind another of it; without those that must run alone.
    func heads(of lane: Int64, behind other: Candidate?, limit: Int) throws -> [Candidate]
    /// The ones that came last, newest first: of the ready jobs those that have least in common with the head.
    func newest(of lane: Int64, limit: Int) throws -> [Candidate]
    /// Of the first ready jobs the ones that failed least often, those first.
    func leastFailed(of lane: Int64, limit: Int) throws -> [Candidate]
    /// The lanes that have ready jobs which must run alone.
    func lanesOfLoners() throws -> [Int64]
    func loners(of lane: Int64, limit: Int) throws -> [Candidate]

    /// The newest living answer to a prompt on a route.
    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer?
    /// Whether an attempt is open for the prompt; those that are out with a provider batch count if `withBatches`.
    func isInFlight(_ hash: [UInt8], route: Int64, withBatches: Bool) throws -> Bool
    /// Nil if no attempt has written it there.
    func prefix(_ prefix: CachePrefix, route: Int64) throws -> WrittenPrefix?
    /// What the job's attempts cost, and may have cost.
    func spent(on job: Int64) throws -> Money
    func tags(of job: Int64) throws -> [String]
    func sentRequest(of job: Int64) throws -> SentRequest?
    func body(of answer: Int64) throws -> [UInt8]?
    /// The lane of a job; needed while jobs are on their way to other lanes.
    func standing(of job: Int64) throws -> LaneStanding?
    func laneBudget() throws -> LaneBudget
    /// Whether another worker is draining for a job that must run alone.
    func anotherDrains(than worker: WorkerID) throws -> Bool
}

extension ClaimReads {
    /// The job's way to the lane that its budgets, and the change, give it; nil if it is there already.
    func move(
        of job: Candidate, _ change: (inout LanePlace) -> Void = { _ in }
    ) throws -> JobMove? {
        guard let standing = try standing(of: job.id) else { return nil }
        return standing.move(job.id, budget: try laneBudget().name(of: tags(of: job.id)), change)
    }
}

/// Whether the provider has a prefix in its cache.
package enum PrefixState: Sendable {
    case warm
    /// An attempt writes it.
    case awaited
    case cold

    init(_ written: WrittenPrefix?, at now: Moment) {
        guard let written else {
            self = .cold
            return
        }
        self = !written.warmUntil.hasPassed(at: now) ? .warm : written.isOpen ? .awaited : .cold
    }
}

/// A prefix that an attempt has sent to a route.
package struct WrittenPrefix: Sendable {
    let warmUntil: Moment
    let isOpen: Bool

    /// `isOpen` says whether the attempt that writes it is still open.
    package init(warmUntil: Moment, isOpen: Bool) {
        self.warmUntil = warmUntil
        self.isOpen = isOpen
    }
}
