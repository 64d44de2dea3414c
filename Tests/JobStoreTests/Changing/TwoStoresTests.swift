import Jobs
import Testing

/// Two stores opened on one database are as two processes: nothing is shared but the file.
@Suite struct TwoStoresTests {
    private func run(_ backend: Backend, _ body: (StoreHarness, any JobStore) async throws -> Void)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let second = try await backend.open(harness.directory, clock: harness.clock)
            do {
                try await body(harness, second)
            } catch {
                await second.close()
                throw error
            }
            await second.close()
        }
    }

    @Test(arguments: Backend.allCases)
    func `a change of one wakes the other`(_ backend: Backend) async throws {
        try await run(backend) { harness, second in
            let changes = second.changes()
            try await harness.enqueue("one")
            let woken = try await within(seconds: 5) {
                for await _ in changes { return true }
                return false
            }
            #expect(woken)
            let ids = try await harness.enqueue("two")
            #expect(try await second.states(of: ids) == [ids[0]: .queued])
        }
    }

    @Test(arguments: Backend.allCases)
    func `each job is claimed by one of two that claim at once`(_ backend: Backend) async throws {
        try await run(backend) { harness, second in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(200))
            let request = ClaimRequest(
                worker: harness.worker, slots: 3, running: 0, lease: 30_000, services: [Sample.service])
            let claimed = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for store in [harness.store, second, harness.store, second] {
                    group.addTask {
                        var mine: [JobID] = []
                        while true {
                            let attempts = try await store.claim(request).attempts
                            if attempts.isEmpty { return mine }
                            mine += attempts.map(\.key.job)
                        }
                    }
                }
                return try await group.reduce(into: []) { all, mine in all += mine }
            }
            #expect(claimed.count == 200)
            #expect(Set(claimed) == Set(ids))
        }
    }

    @Test(arguments: Backend.allCases)
    func `limits hold for both together`(_ backend: Backend) async throws {
        try await run(backend) { harness, second in
            try await harness.store.configure(route: Sample.route, limits: .init(requests: 10))
            try await harness.enqueue(try Sample.jobs(30))
            let request = ClaimRequest(
                worker: harness.worker, slots: 6, running: 0, lease: 30_000, services: [Sample.service])
            let one = try await harness.store.claim(request).attempts
            let two = try await second.claim(request).attempts
            #expect(one.count == 6)
            #expect(two.count == 3)
            #expect(
                try await second.settle(Sample.success(one[0].key))
                    == .settled(.succeeded))
        }
    }

    @Test(arguments: Backend.allCases)
    func `one settlement of two counts, whichever store it comes to`(_ backend: Backend) async throws {
        try await run(backend) { harness, second in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(40))
            let attempts = try await harness.claim(40)
            let outcomes = try await withThrowingTaskGroup(of: SettleOutcome.self) { group in
                for attempt in attempts {
                    for store in [harness.store, second] {
                        group.addTask { try await store.settle(Sample.success(attempt.key)) }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(outcomes == [.settled(.succeeded): 40, .repeated: 40])
        }
    }

    @Test(arguments: Backend.allCases)
    func `one key is taken once by two that enqueue at once`(_ backend: Backend) async throws {
        try await run(backend) { harness, second in
            let jobs = try (0..<30).map { index in
                try Sample.job("one \(index)") { $0.customID = "k\(index)" }
            }
            let outcomes = try await withThrowingTaskGroup(of: [EnqueueOutcome].self) { group in
                for job in jobs {
                    for store in [harness.store, second] {
                        group.addTask { try await store.enqueue([job], atomically: true) }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let created = outcomes.count { if case .created = $0 { true } else { false } }
            let existing = outcomes.count { if case .existing = $0 { true } else { false } }
            #expect(created == 30 && existing == 30)
        }
    }
}
