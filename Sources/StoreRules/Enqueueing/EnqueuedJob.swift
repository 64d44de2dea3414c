package import Jobs

/// Where jobs are taken in.
package enum EnqueueTarget: Hashable, Sendable {
    case common
    /// In the lanes of a serving process whose client waits.
    case interactive(WorkerID)
    /// In lanes of a batch of the compatible API, from which no worker may claim before they are opened.
    case sealed(BatchID)

    package var isSealed: Bool {
        if case .sealed = self { true } else { false }
    }

    /// The lane of a job; `budget` is what `LaneBudget` says of its tags.
    package func place(queue: Int64, route: Int64, budget: String, isHalfPrice: Bool) -> LanePlace {
        let kind: LaneKind = isHalfPrice ? .halfPrice : .common
        return switch self {
        case .common: LanePlace(queue: queue, route: route, budget: budget, kind: kind)
        case .interactive(let worker):
            LanePlace(queue: queue, route: route, budget: budget, kind: .interactive, owner: worker.value)
        case .sealed(let batch):
            LanePlace(queue: queue, route: route, budget: budget, kind: kind, batch: batch.value)
        }
    }
}

/// How a job is placed in its lane when it comes in.
package struct EnqueuedJob: Hashable, Sendable {
    package let rank: Int64
    package let runAt: Timestamp
    /// Nil if it is ready at once.
    package let heldUntil: Timestamp?

    package init(_ job: NewJob, now: Timestamp) {
        rank = Rank.of(createdAt: now, priority: job.priority)
        runAt = job.runAt ?? now + (job.delay ?? 0)
        heldUntil = runAt <= now ? nil : runAt
    }
}
