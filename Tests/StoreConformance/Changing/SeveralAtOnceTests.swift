import Jobs
import TestSupport
import Testing

/// Several processes at work on one database at the same time: verbs go beside each other in whatever order the database lets them.
@Suite struct SeveralAtOnceTests {
    /// One caller of a store, with the calls that it holds.
    private struct Caller {
        let store: any WholeStore
        let worker: WorkerID
        let clock: HandClock
        var random: SeededRandom
        var held: [ClaimedAttempt] = []
        var known: [JobID] = []

        mutating func step(_ number: Int) async throws {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<25: try await enqueue()
            case 25..<50: try await claim()
            case 50..<85: try await settle()
            case 85..<88: try await cancel()
            case 88..<91: try await retry()
            case 91..<94: _ = try await store.renew(worker, attempts: held.map(\.key), lease: 3_000)
            case 94..<97: _ = try await store.reap()
            case 97: clock.advance(.random(in: 1...4_000, using: &random))
            default:
                _ = try await (
                    store.budgets(), store.stats(),
                    store.jobs(JobFilter(), before: nil, limit: 20, bodies: [])
                )
            }
        }

        private mutating func enqueue() async throws {
            let jobs = try (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let text = "prompt \(Int.random(in: 0..<40, using: &random))"
                return try Sample.job(text, queue: ["a", "b"].randomElement(using: &random) ?? "a") { job in
                    if Bool.random(using: &random) { job.tags = ["gold"] }
                    if Int.random(in: 0..<4, using: &random) == 0 {
                        job.customID = "name \(Int.random(in: 0..<300, using: &random))"
                    }
                }
            }
            known += try await store.enqueue(jobs, atomically: Bool.random(using: &random)).compactMap(\.id)
        }

        private mutating func claim() async throws {
            let request = ClaimRequest(
                worker: worker, slots: .random(in: 1...8, using: &random), running: held.count, lease: 3_000,
                services: [Sample.service])
            held += try await store.claim(request).attempts
        }

        private mutating func settle() async throws {
            guard !held.isEmpty else { return }
            let attempt = held.remove(at: .random(in: held.indices, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<7: _ = try await store.settle(Sample.success(attempt.key))
            case 7: _ = try await store.settle(refused(attempt, status: 500))
            case 8: _ = try await store.settle(refused(attempt, status: 400))
            // It is forgotten, and its lease runs out.
            default: break
            }
        }

        private mutating func refused(_ attempt: ClaimedAttempt, status: Int) -> Settlement {
            let decision = Decision.decide(
                Sample.refusal(status), failures: attempt.failures, policy: RetryPolicy(), using: &random)
            return Settlement(
                key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
                unconfirmedCost: decision.unconfirmedCost)
        }

        private mutating func cancel() async throws {
            guard let id = known.randomElement(using: &random) else { return }
            _ = try await store.cancel(id)
        }

        private mutating func retry() async throws {
            guard let id = known.randomElement(using: &random) else { return }
            _ = try await store.retry(id, change: RetryChange())
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `whatever several processes do at once, nothing is doubled or miscounted`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let budget = Budget(
                name: "gold", scope: .tag("gold"), window: .total, limit: Money(nanodollars: 4_000_000),
                alerts: [50])
            try await harness.store.configure(budgets: [budget])
            var stores = [harness.store]
            for _ in 0..<2 { stores.append(try await harness.openAnother()) }
            let seed = UInt64.random(in: 0..<1_000_000)
            print("several at once: seed \(seed)")
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (place, store) in (stores + stores).enumerated() {
                        let worker = try await store.register(
                            NewWorker(name: "w\(place)", host: "here", processID: Int32(place), slots: 8))
                        let clock = harness.clock
                        group.addTask {
                            var caller = Caller(
                                store: store, worker: worker, clock: clock,
                                random: SeededRandom(seed: seed &+ UInt64(place)))
                            for number in 0..<120 { try await caller.step(number) }
                        }
                    }
                    try await group.waitForAll()
                }
                try await harness.audit()
                try await finish(harness)
            } catch {
                for store in stores.dropFirst() { await store.close() }
                throw error
            }
            for store in stores.dropFirst() { await store.close() }
        }
    }

    /// What is left is called, or waits for a person or for money.
    private func finish(_ harness: StoreHarness) async throws {
        for _ in 0..<300 {
            harness.clock.advance(40_000)
            while try await harness.store.reap().more {}
            let attempts = try await harness.claim(50)
            for attempt in attempts { try await harness.succeed(attempt) }
            if attempts.isEmpty, try await harness.store.count(JobFilter(state: .running)) == 0 { break }
        }
        #expect(try await harness.store.count(JobFilter(state: .running)) == 0)
    }
}
