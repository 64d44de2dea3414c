package import Jobs

/// What a lane is; a job keeps it through all its moves, unless it leaves it on purpose.
package enum LaneKind: String, Sendable {
    /// All workers serve it.
    case common
    /// The serving process whose callers wait claims from it, and no other.
    case interactive
    /// Its jobs wait for a provider batch.
    case halfPrice = "half_price"

    /// The name that tells such lanes of one queue, route and budget apart; an interactive lane has another.
    package func variant(of batch: Int64?) -> String {
        (batch.map { BatchID($0).description } ?? "") + (self == .halfPrice ? " half price" : "")
    }
}

/// What makes a lane.
package struct LanePlace: Hashable, Sendable {
    package let queue: Int64
    package var route: Int64
    /// Those of its jobs' tags that have a budget, as `LaneBudget` names them.
    package var budget: String
    package var kind: LaneKind
    /// The serving process whose interactive lane it is.
    package var owner: Int64?
    /// The batch of the compatible API that has it to itself.
    package var batch: Int64?

    package init(
        queue: Int64, route: Int64, budget: String, kind: LaneKind, owner: Int64? = nil, batch: Int64? = nil
    ) {
        self.queue = queue
        self.route = route
        self.budget = budget
        self.kind = kind
        self.owner = owner
        self.batch = batch
    }

    /// At half the price only if the same service answers there too, as it is known to take batches.
    package mutating func move(to route: Int64, ofTheSameService isSame: Bool) {
        if kind == .halfPrice, !isSame { kind = .common }
        self.route = route
    }

    /// The process that served the job's interactive lane does so no more.
    package mutating func leaveInteractiveLane() {
        guard kind == .interactive else { return }
        kind = .common
        owner = nil
    }
}

extension LanePlace {
    /// It waits for no provider batch any more.
    package mutating func leaveHalfPrice() {
        if kind == .halfPrice { kind = .common }
    }
}

/// The state of a job.
package struct LaneStanding: Sendable {
    package let lane: Int64
    package let state: JobState
    package let place: LanePlace

    package init(lane: Int64, state: JobState, place: LanePlace) {
        self.lane = lane
        self.state = state
        self.place = place
    }
}
