import Jobs
import Synchronization
import Telemetry
import Testing

@testable import API

@Suite("The store's word on itself")
struct ReadinessTests {
    @Test("a store that stands still is asked once, and nobody waits for it")
    func standstill() async throws {
        let store = FakeStore()
        store.holdReady()
        let readiness = Readiness(store: store, log: .silent, patience: 50)
        // The store does not answer before it is released, below: what is refused has not waited for it.
        let refused = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask { (try? await readiness.facts(now: TestClock().now())) == nil }
            }
            return await group.reduce(into: 0) { count, isRefused in if isRefused { count += 1 } }
        }
        #expect(refused == 100)
        // A second later they would ask again, and share the question that is under way.
        let later = TestClock(milliseconds: TestClock().milliseconds + 5_000)
        await #expect(throws: JobStoreError.self) { _ = try await readiness.facts(now: later.now()) }
        #expect(store.readyQuestions == 1)
        store.releaseReady()
    }

    @Test("an answer counts for a second, for everybody")
    func sharing() async throws {
        let store = FakeStore()
        let readiness = Readiness(store: store, log: .silent)
        for _ in 0..<20 { _ = try await readiness.facts(now: TestClock().now()) }
        #expect(store.readyQuestions == 1)
        let later = TestClock(milliseconds: TestClock().milliseconds + 1_001)
        _ = try await readiness.facts(now: later.now())
        #expect(store.readyQuestions == 2)
    }
}
