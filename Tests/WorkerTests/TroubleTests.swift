import Jobs
import Testing

@testable import Worker

@Suite(.timeLimit(.minutes(1))) struct TroubleTests {
    @Test func `An answer outlives a full disk`() async throws {
        let harness = StoreHarness(lease: 100)
        harness.store.state.change {
            $0.settleErrors = Array(repeating: JobStoreError(.full, "no room"), count: 4)
        }
        harness.store.add(harness.attempts(1...1))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 1 })
        }
        #expect(harness.store.state.now.settleAttempts == 5)
        #expect(harness.store.state.now.settled.first?.answer != nil)
    }

    @Test func `Claiming goes on after errors`() async throws {
        let harness = StoreHarness()
        harness.store.state.change {
            $0.claimErrors = [JobStoreError(.unavailable, ""), JobStoreError(.internal, "")]
        }
        harness.store.add(harness.attempts(1...1))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 1 })
        }
    }

    @Test
    func `A paid answer waits for room while the worker works, another settlement while its lease lasts`() {
        let full = JobStoreError(.full, "")
        var paid = SettlePatience(lease: 100, paid: true)
        var unpaid = SettlePatience(lease: 100, paid: false)
        for _ in 0..<100 { #expect(paid.delay(after: full, leaseHeld: false, order: .work) != nil) }
        for _ in 0..<100 { #expect(unpaid.delay(after: full, leaseHeld: true, order: .work) != nil) }
        #expect(unpaid.delay(after: full, leaseHeld: false, order: .work) == nil)
        #expect(paid.delay(after: full, leaseHeld: false, order: .drain) == nil)
    }

    @Test func `A row that can never be written does not hold its slot for ever`() {
        var patience = SettlePatience(lease: 1000, paid: true)
        let tries = (0..<100).prefix { _ in
            patience.delay(after: JobStoreError(.internal, ""), leaseHeld: true, order: .work) != nil
        }
        #expect((2..<10).contains(tries.count))
    }

    @Test func `Nothing is tried again on a closed store or after the order to stop`() {
        var patience = SettlePatience(lease: 1000, paid: true)
        #expect(patience.delay(after: JobStoreError(.closed, ""), leaseHeld: true, order: .work) == nil)
        #expect(patience.delay(after: JobStoreError(.full, ""), leaseHeld: true, order: .stop) == nil)
    }

    @Test func `A claim cut short is repeated at once, an empty one waits for its alarm`() {
        var loop = ClaimLoop(slots: 4)
        #expect(loop.rest(after: Claim(more: true), asked: 4, running: 0) == nil)
        #expect(loop.rest(after: Claim(wakeAfter: 70), asked: 4, running: 0) == 70)
        #expect(loop.rest(after: Claim(wakeAfter: 0), asked: 4, running: 0) == 1)
        #expect(loop.rest(after: Claim(), asked: 4, running: 0) == 5000)
    }

    @Test func `A worker that empties itself claims again when nothing runs`() {
        var loop = ClaimLoop(slots: 4)
        _ = loop.rest(after: Claim(drainFirst: true), asked: 2, running: 2)
        #expect(loop.freeSlots(SlotUsage(open: 1)) == 0)
        #expect(loop.freeSlots(SlotUsage(open: 1, settling: 1)) == 0)
        #expect(loop.freeSlots(SlotUsage()) == 4)
        #expect(loop.freeSlots(SlotUsage(open: 1, holdsLoneJob: true)) == 0)
    }

    @Test func `A slot is free once its call is over, and no more than its slots wait for their settlements`()
    {
        var loop = ClaimLoop(slots: 4)
        #expect(loop.freeSlots(SlotUsage(open: 4)) == 0)
        #expect(loop.freeSlots(SlotUsage(open: 4, settling: 3)) == 3)
        #expect(loop.freeSlots(SlotUsage(open: 7, settling: 4)) == 1)
        #expect(loop.freeSlots(SlotUsage(open: 8, settling: 5)) == 0)
    }

    @Test func `Only a claim that filled its slots is followed by one that does not look first`() {
        var loop = ClaimLoop(slots: 1)
        #expect(loop.looksFirst)
        let attempt = StoreHarness().attempt(1)
        _ = loop.rest(after: Claim(attempts: [attempt]), asked: 1, running: 0)
        #expect(!loop.looksFirst)
        _ = loop.rest(after: Claim(attempts: [attempt]), asked: 2, running: 0)
        #expect(loop.looksFirst)
    }
}
