package import Jobs

// What becomes of a batch of the Message Batches API.
extension MessageBatch {
    /// All its jobs have finished, and its end is not noted yet.
    package var hasJustEnded: Bool { endedAt == nil && counts.finished == counts.total }

    /// An upload of which nothing was heard since is given up: it may be discarded at any moment, and is never opened.
    package static func lastSign(at now: Timestamp) -> Timestamp { now + -patience }
}

extension BatchRequest {
    /// A request that lacks what its queue requires fails alone: the lack becomes its result.
    package func failing(_ refusal: QueueRefusal) -> BatchRequest {
        var request = self
        request.failure = JobError(
            type: "invalid_request_error", message: refusal.explanation, status: 400, retryable: false)
        return request
    }
}

/// A job of an upload that is discarded.
package struct DiscardedJob: Sendable {
    package let id: Int64
    package let lane: Int64
    package let state: JobState
    package let finishOrder: Int64?

    package init(id: Int64, lane: Int64, state: JobState, finishOrder: Int64?) {
        self.id = id
        self.lane = lane
        self.state = state
        self.finishOrder = finishOrder
    }
}

extension Delta {
    /// Forgets an upload with some of its jobs; with the last of them the batch goes.
    package mutating func discard(_ jobs: [DiscardedJob], of batch: BatchID, areLast: Bool) {
        if let last = jobs.compactMap(\.finishOrder).max() { add(.leaveFinishOrder(last)) }
        for job in jobs {
            add(.delete(job: job.id))
            // The batch's own tally goes with it.
            tallies.moved(lane: job.lane, batch: areLast ? nil : batch.value, from: job.state, to: nil)
        }
        if areLast { add(.messageBatch(batch, .deleteWithTallies)) }
    }

    /// Nothing more of the batch is claimed, however long its jobs take to be cancelled.
    package mutating func cancel(_ batch: BatchID) {
        add(.messageBatch(batch, .cancel))
        add(.messageBatch(batch, .sealLanes(true)))
    }

    /// An upload is complete: its jobs may be claimed.
    package mutating func open(_ batch: BatchID, key: String?, fingerprint: [UInt8]) {
        add(.messageBatch(batch, .open(key: key, fingerprint: fingerprint)))
        add(.messageBatch(batch, .sealLanes(false)))
    }
}
