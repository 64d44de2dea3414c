import Jobs
import Testing
import Worker

@Suite(.timeLimit(.minutes(1))) struct LeaseTests {
    @Test func `All open attempts are renewed in one call, well before their lease ends`() async throws {
        let harness = StoreHarness(.endless(), lease: 1200)
        harness.store.add(harness.attempts(1...4))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.renewals.filter { $0.count == 4 }.count >= 3 })
        }
        #expect(harness.store.state.now.settled.allSatisfy { $0.verdict == .handedBack(sent: true) })
    }

    @Test func `A call whose attempt is another's by now is aborted and settled for its money`() async throws
    {
        let harness = StoreHarness(.endless(), lease: 1200)
        harness.store.state.change { $0.lost = [.number(2)] }
        harness.store.add(harness.attempts(1...3))
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 1 })
            #expect(harness.caller.tally.now.inFlight == [.number(1), .number(3)])
        }
        let settlement = try #require(harness.store.state.now.settled.first)
        #expect(
            settlement.key == .number(2) && settlement.verdict == .handedBack(sent: true)
                && settlement.unconfirmedCost)
    }

    @Test func `A cancelled job's call is aborted at the store's change`() async throws {
        let harness = StoreHarness(.endless())
        harness.store.add(harness.attempts(1...2))
        try await harness.work {
            #expect(await harness.caller.tally.reaches { $0.inFlight.count == 2 })
            harness.store.state.change { $0.revoked = [.number(1)] }
            harness.store.touch()
            #expect(await harness.caller.tally.reaches(within: .seconds(4)) { $0.aborted == [.number(1)] })
        }
    }

    @Test func `Calls are aborted at the end of a lease that could not be renewed`() async throws {
        let harness = StoreHarness(.endless(), lease: 200)
        harness.store.state.change { $0.renewalsFail = true }
        harness.store.add(harness.attempts(1...2))
        try await harness.work {
            #expect(await harness.caller.tally.reaches { $0.aborted.count == 2 })
        }
    }

    @Test func `A call is aborted at its job's deadline and the job fails`() async throws {
        let harness = StoreHarness(.endless())
        harness.store.add([harness.attempt(1, deadlineIn: 50), harness.attempt(2, deadlineIn: 60_000)])
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 1 })
        }
        let settlement = try #require(harness.store.state.now.settled.first)
        #expect(settlement.key == .number(1) && settlement.verdict == .failed(.deadlineExceeded))
    }

    @Test func `A job whose deadline has passed at its claim is not called`() async throws {
        let harness = StoreHarness()
        harness.store.add([harness.attempt(1, deadlineIn: -1)])
        try await harness.work {
            #expect(await harness.store.state.reaches { $0.settled.count == 1 })
        }
        #expect(harness.caller.tally.now.begun.isEmpty)
        #expect(harness.store.state.now.settled.first?.verdict == .failed(.deadlineExceeded))
    }
}
