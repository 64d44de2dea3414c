import Jobs
import Testing
import Worker

@Suite(.timeLimit(.minutes(1))) struct StoppingTests {
    @Test func `A worker asked to stop lets calls in flight finish and claims nothing more`() async throws {
        let released = Observed(false)
        let harness = StoreHarness(
            FakeCaller { _ in
                _ = await released.reaches { $0 }
                return .answered
            }, slots: 2, grace: 10_000)
        harness.store.add(harness.attempts(1...3))
        let running = Task { try await harness.worker.run() }
        #expect(await harness.caller.tally.reaches { $0.inFlight.count == 2 })
        running.cancel()
        released.change { $0 = true }
        try await running.value
        let state = harness.store.state.now
        #expect(state.settled.map(\.verdict) == [.succeeded, .succeeded])
        #expect(state.ready.count == 1 && state.unregistered == 1)
    }

    @Test func `Calls that outlast the grace period are handed back as sent`() async throws {
        let harness = StoreHarness(.endless(), grace: 20)
        harness.store.add(harness.attempts(1...3))
        let running = Task { try await harness.worker.run() }
        #expect(await harness.caller.tally.reaches { $0.inFlight.count == 3 })
        running.cancel()
        try await running.value
        let state = harness.store.state.now
        #expect(state.settled.count == 3)
        #expect(state.settled.allSatisfy { $0.verdict == .handedBack(sent: true) && $0.unconfirmedCost })
    }

    @Test func `A second signal ends at once and hands nothing back`() async throws {
        let harness = StoreHarness(.endless(), grace: 60_000)
        harness.store.add(harness.attempts(1...3))
        let running = Task { try await harness.worker.run() }
        #expect(await harness.caller.tally.reaches { $0.inFlight.count == 3 })
        running.cancel()
        harness.worker.stopNow()
        try await running.value
        #expect(harness.store.state.now.settled.isEmpty && harness.store.state.now.unregistered == 0)
    }

    @Test func `A worker that is stopped before it began does nothing`() async throws {
        let harness = StoreHarness()
        harness.worker.stopNow()
        try await harness.worker.run()
        #expect(harness.store.state.now.registered == 0)
    }

    @Test func `A store that refuses the worker for good ends the run`() async throws {
        let harness = StoreHarness()
        harness.store.state.change {
            $0.registerErrors = [JobStoreError(.full, ""), JobStoreError(.schemaTooNew, "")]
        }
        await #expect(throws: JobStoreError(.schemaTooNew, "")) { try await harness.worker.run() }
    }
}
