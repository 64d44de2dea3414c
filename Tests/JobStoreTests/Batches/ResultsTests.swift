import Jobs
import Testing
import TestSupport

@Suite struct ResultsTests {
    /// All results, a few a page, by their prompts.
    private func read(_ harness: StoreHarness, _ query: ResultsQuery, page: Int = 2) async throws -> [JobID] {
        var found: [JobID] = []
        var cursor: Int64 = 0
        for _ in 0..<50 {
            let results = try await harness.store.results(query, after: cursor, limit: page)
            guard let last = results.last else { return found }
            #expect(results.count <= page)
            #expect(results.map(\.cursor) == results.map(\.cursor).sorted())
            found += results.map(\.job.id)
            cursor = last.cursor
        }
        return found
    }

    @Test(arguments: Backend.allCases)
    func `results come in the order of finishing, or of the batch's input`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            let ids = try await harness.enqueue(
                try Sample.jobs(5).map { job in
                    var job = job
                    job.batch = batch.id
                    return job
                })
            let other = try await harness.enqueue([try Sample.job("other", queue: "other")])
            let attempts = try await harness.claim(6)
            func attempt(_ id: JobID) throws -> ClaimedAttempt {
                try #require(attempts.first { $0.key.job == id })
            }
            try await harness.succeed(try attempt(ids[3]))
            try await harness.meet(Sample.refusal(400), try attempt(ids[0]))
            _ = try await harness.store.cancel(ids[4])
            try await harness.succeed(try attempt(other[0]))
            harness.clock.advance(10)
            try await harness.succeed(try attempt(ids[1]))

            let finished = [ids[3], ids[0], ids[4], ids[1]]
            #expect(try await read(harness, ResultsQuery(source: .batch(batch.id))) == finished)
            #expect(
                try await read(harness, ResultsQuery(source: .batch(batch.id), inputOrder: true))
                    == [ids[0], ids[1], ids[3], ids[4]])
            #expect(try await read(harness, ResultsQuery(source: .queue("other"))) == other)
            let all = try await read(harness, ResultsQuery(source: .all))
            #expect(all.dropFirst() == [ids[3], ids[0], ids[4], other[0], ids[1]])

            // What finishes later comes behind every cursor that was given out.
            let last = try #require(
                try await harness.store.results(
                    ResultsQuery(source: .batch(batch.id)), after: 0, limit: 10
                ).last)
            try await harness.succeed(try attempt(ids[2]))
            let news = try await harness.store.results(
                ResultsQuery(source: .batch(batch.id)), after: last.cursor, limit: 10)
            #expect(news.map(\.job.id) == [ids[2]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a result carries the bodies asked for`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            let plain = try await harness.store.results(ResultsQuery(source: .all), after: 0, limit: 1)
            #expect(plain.first?.job.response == Sample.answer().body)
            #expect(plain.first?.job.request == nil)
            let both = try await harness.store.results(
                ResultsQuery(source: .all, bodies: [.request, .response]), after: 0, limit: 1)
            #expect(both.first?.job.request != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a calendar that is set back puts no result before a cursor`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one", "two")
            let attempts = try await harness.claim()
            try await harness.succeed(attempts[0])
            let first = try await harness.store.results(ResultsQuery(source: .all), after: 0, limit: 9)
            let cursor = try #require(first.last?.cursor)
            harness.clock.time.timestamp = harness.now.timestamp + -3_600_000
            try await harness.succeed(attempts[1])
            let second = try await harness.store.results(ResultsQuery(source: .all), after: cursor, limit: 9)
            #expect(second.map(\.job.id) == [attempts[1].key.job])
            let third = try await harness.enqueue("three")
            #expect(third[0] > attempts[1].key.job)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retried job's place is not given to another`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one", "two")
            let attempts = try await harness.claim()
            try await harness.meet(Sample.refusal(400), attempts[0])
            let first = try await harness.store.results(ResultsQuery(source: .all), after: 0, limit: 9)
            let cursor = try #require(first.last?.cursor)
            _ = try await harness.store.retry(ids[0], change: .init())
            try await harness.succeed(attempts[1])
            let second = try await harness.store.results(ResultsQuery(source: .all), after: cursor, limit: 9)
            #expect(second.map(\.job.id) == [ids[1]])
        }
    }
}
