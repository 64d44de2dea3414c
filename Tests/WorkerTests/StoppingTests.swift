import Jobs
import Testing
import Worker

@Suite(.timeLimit(.minutes(1))) struct StoppingTests {
    @Test func `A worker asked to stop lets calls in flight finish and claims nothing more`() async throws {
        let released = Observed(false)
        let bench = Bench(
            FakeCaller { _ in
                _ = await released.reaches { $0 }
                return .answered
            }, slots: 2, grace: 10_000)
        bench.store.add(bench.attempts(1...3))
        let running = Task { try await bench.worker.run() }
        #expect(await bench.caller.tally.reaches { $0.inFlight.count == 2 })
        running.cancel()
        released.change { $0 = true }
        try await running.value
        let state = bench.store.state.now
        #expect(state.settled.map(\.verdict) == [.succeeded, .succeeded])
        #expect(state.ready.count == 1 && state.unregistered == 1)
    }

    @Test func `Calls that outlast the grace period are handed back as sent`() async throws {
        let bench = Bench(.endless(), grace: 20)
        bench.store.add(bench.attempts(1...3))
        let running = Task { try await bench.worker.run() }
        #expect(await bench.caller.tally.reaches { $0.inFlight.count == 3 })
        running.cancel()
        try await running.value
        let state = bench.store.state.now
        #expect(state.settled.count == 3)
        #expect(state.settled.allSatisfy { $0.verdict == .handedBack(sent: true) && $0.maybePaid })
    }

    @Test func `A second signal ends at once and hands nothing back`() async throws {
        let bench = Bench(.endless(), grace: 60_000)
        bench.store.add(bench.attempts(1...3))
        let running = Task { try await bench.worker.run() }
        #expect(await bench.caller.tally.reaches { $0.inFlight.count == 3 })
        running.cancel()
        bench.worker.stopNow()
        try await running.value
        #expect(bench.store.state.now.settled.isEmpty && bench.store.state.now.unregistered == 0)
    }

    @Test func `A worker that is stopped before it began does nothing`() async throws {
        let bench = Bench()
        bench.worker.stopNow()
        try await bench.worker.run()
        #expect(bench.store.state.now.registered == 0)
    }

    @Test func `A store that refuses the worker for good ends the run`() async throws {
        let bench = Bench()
        bench.store.state.change {
            $0.registerErrors = [JobStoreError(.full, ""), JobStoreError(.schemaTooNew, "")]
        }
        await #expect(throws: JobStoreError(.schemaTooNew, "")) { try await bench.worker.run() }
    }
}
