import Jobs
import StoreRules
import Testing

@Suite struct MessageBatchRulesTests {
    private let now = ChangeFixture.now

    @Test func `an upload is forgotten in portions, and its batch with the last`() {
        let jobs = (1...3).map { id in
            DiscardedJob(
                id: Int64(id), lane: 50, state: id == 2 ? .failed : .queued, finishOrder: id == 2 ? 9 : nil)
        }
        for areLast in [false, true] {
            var delta = Delta()
            delta.discard(jobs, of: BatchID(4), areLast: areLast)
            #expect(
                ChangeFixture.names(delta)
                    == ["leaveFinishOrder", "delete", "delete", "delete"]
                    + (areLast ? ["message batch deleteWithTallies"] : []))
            #expect(delta.tallies.lanes.values.reduce(0, +) == -3)
            #expect(delta.tallies.batches.isEmpty == areLast)
        }
    }

    @Test func `a batch has just ended when all have finished and its end is not noted`() {
        var counts = StateCounts()
        counts.succeeded = 2
        var batch = MessageBatch(
            id: BatchID(4), createdAt: now.timestamp, expiresAt: now.timestamp, cancelledAt: nil,
            endedAt: nil, counts: counts, expired: 0)
        #expect(batch.hasJustEnded)
        batch.counts.review = 1
        #expect(!batch.hasJustEnded)
        batch.counts.review = 0
        batch.endedAt = now.timestamp
        #expect(!batch.hasJustEnded)
    }
}
