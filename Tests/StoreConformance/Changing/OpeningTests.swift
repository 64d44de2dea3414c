import Jobs
import TestSupport
import Testing

/// A database that is opened for the first time, by many, and again.
@Suite struct OpeningTests {
    @Test(arguments: StoreUnderTest.all)
    func `eight that open one new store at once all find it ready`(_ tested: StoreUnderTest) async throws {
        let clock = HandClock()
        try await tested.withDatabase(isBlank: true) { database in
            let created = try await withThrowingTaskGroup(of: JobID?.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        let store = try await database.open(StoreTerms(), clock: clock)
                        let job = try Sample.job("from \(index)")
                        let outcomes = try await store.enqueue([job], atomically: true)
                        await store.close()
                        return outcomes.first?.id
                    }
                }
                return try await group.reduce(into: Set<JobID>()) { ids, id in if let id { ids.insert(id) } }
            }
            #expect(created.count == 8)
            let store = try await database.open(StoreTerms(), clock: clock)
            #expect(try await store.stats().counts.queued == 8)
            await store.close()
            #expect(try await database.violations(isPruned: false).isEmpty)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `what was acknowledged is there after closing and opening`(_ tested: StoreUnderTest) async throws {
        let clock = HandClock()
        try await tested.withDatabase { database in
            let first = try await database.open(StoreTerms(), clock: clock)
            let ids = try await first.enqueue(try Sample.jobs(3), atomically: true).compactMap(\.id)
            await first.close()
            let second = try await database.open(StoreTerms(), clock: clock)
            #expect(try await second.states(of: ids).count == 3)
            await second.close()
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a closed store says so`(_ tested: StoreUnderTest) async throws {
        let clock = HandClock()
        try await tested.withDatabase { database in
            let store = try await database.open(StoreTerms(), clock: clock)
            await store.close()
            let written = await #expect(throws: JobStoreError.self) {
                _ = try await store.createBatch(name: "b", metadata: nil)
            }
            #expect(written?.code == .closed)
            let read = await #expect(throws: JobStoreError.self) { _ = try await store.queues() }
            #expect(read?.code == .closed)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a store that is ready says what it is`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let facts = try await harness.store.checkReady()
            #expect(!facts.engine.isEmpty && !facts.version.isEmpty)
            #expect(facts.schemaVersion >= 1)
            #expect(facts.databaseBytes > 0)
        }
    }
}
