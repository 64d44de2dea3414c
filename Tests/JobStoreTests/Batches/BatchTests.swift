import Jobs
import Testing
import TestSupport

@Suite struct BatchTests {
    @Test(arguments: Backend.allCases)
    func `a batch is made once, by its name`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let metadata = Array(#"{"a":1}"#.utf8)
            let made = try await harness.store.createBatch(name: "b", metadata: metadata)
            harness.clock.advance(1_000)
            let again = try await harness.store.createBatch(name: "b", metadata: nil)
            #expect(again.id == made.id)
            #expect(again.metadata == metadata)
            #expect(again.createdAt == made.createdAt)
            #expect(try await harness.store.batch(made.id)?.name == "b")
            #expect(try await harness.store.batch(named: "b")?.id == made.id)
            #expect(try await harness.store.batch(named: "c") == nil)
            #expect(try await harness.store.batch(BatchID(3)) == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `batches are listed newest first, behind a cursor`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            var ids: [BatchID] = []
            for name in ["a", "b", "c"] {
                ids.append(try await harness.store.createBatch(name: name, metadata: nil).id)
            }
            let first = try await harness.store.batches(before: nil, limit: 2)
            #expect(first.map(\.id) == [ids[2], ids[1]])
            #expect(try await harness.store.batches(before: ids[1], limit: 2).map(\.id) == [ids[0]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a batch counts its jobs and their money`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            func job(_ text: String) throws -> NewJob { try Sample.job(text) { $0.batch = batch.id } }
            try await harness.enqueue([try job("one"), try job("one"), try job("two"), try job("three")])
            try await harness.enqueue("not of the batch")
            let attempts = try await harness.claim(3)
            try await harness.succeed(attempts[0])
            try await harness.meet(Sample.refusal(400), attempts[1])
            _ = try await harness.claim(1)
            let found = try #require(try await harness.store.batch(batch.id))
            #expect(found.counts.succeeded == 2)
            #expect(found.counts.failed == 1)
            #expect(found.counts.running == 1)
            #expect(found.counts.total == 4)
            #expect(found.cost == Sample.cost)
            #expect(found.saved == Sample.cost)
        }
    }

    @Test(arguments: Backend.allCases)
    func `ordinals go on over several uploads`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            var ids: [JobID] = []
            for text in ["one", "two", "three"] {
                ids += try await harness.enqueue([try Sample.job(text) { $0.batch = batch.id }])
            }
            for attempt in try await harness.claim() { try await harness.succeed(attempt) }
            let results = try await harness.store.results(
                ResultsQuery(source: .batch(batch.id), inputOrder: true), after: 0, limit: 9)
            #expect(results.map(\.job.id) == ids)
            #expect(results.map(\.job.batch) == [batch.id, batch.id, batch.id])
        }
    }
}
