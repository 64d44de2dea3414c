package import Jobs

// Jobs change lanes when their route changes, when a tag of theirs gets a budget or loses it, and when another process
// serves them.
extension LaneStanding {
    /// To the lane that the change says, with the budgets that the job's tags have now; nil if it is there already.
    package func move(
        _ job: Int64, budget: String, _ change: (inout LanePlace) -> Void = { _ in }
    ) -> JobMove? {
        var place = place
        place.budget = budget
        change(&place)
        guard place != self.place else { return nil }
        return JobMove(job: job, from: lane, state: state, place: place)
    }
}

extension Delta {
    /// Moves a job whose row and tallies agree.
    package mutating func move(
        _ job: Int64, at standing: LaneStanding, budget: String,
        _ change: (inout LanePlace) -> Void = { _ in }
    ) {
        if let move = standing.move(job, budget: budget, change) { add(.move(move)) }
    }

    package mutating func move(
        _ job: JobRecord, state: JobState, _ laneBudget: LaneBudget, _ change: (inout LanePlace) -> Void
    ) {
        move(
            job.id, at: LaneStanding(lane: job.lane, state: state, place: job.place),
            budget: laneBudget.name(of: job.tags), change)
    }

    /// A queued job goes to the ordinary lane, where it is ready unless a time holds it.
    package mutating func leaveHalfPrice(_ job: Int64, at standing: LaneStanding, budget: String) {
        guard standing.isQueuedAtHalfPrice else { return }
        move(job, at: standing, budget: budget) { $0.leaveHalfPrice() }
        // The job that it waits for may come back in a day.
        add(.update(job: job, .stopAwaiting))
    }
}

extension LaneStanding {
    package var isQueuedAtHalfPrice: Bool { state == .queued && place.kind == .halfPrice }
}
