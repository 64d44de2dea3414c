import Jobs
import Testing
import TestSupport

@Suite struct ListTests {
    private func ids(_ harness: StoreHarness, _ filter: JobFilter) async throws -> [JobID] {
        let found = try await harness.store.jobs(filter, before: nil, limit: 100, bodies: []).map(\.id)
        #expect(try await harness.store.count(filter) == found.count)
        return found
    }

    @Test(arguments: Backend.allCases)
    func `a list comes newest first and goes on behind its cursor`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let all = try await harness.enqueue(try Sample.jobs(7))
            var found: [JobID] = []
            for size in [3, 3, 1, 0] {
                let page = try await harness.store.jobs(JobFilter(), before: found.last, limit: 3, bodies: [])
                #expect(page.count == size)
                found += page.map(\.id)
            }
            #expect(found == all.reversed())
        }
    }

    @Test(arguments: Backend.allCases)
    func `each filter narrows, and together they narrow further`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            let first = try await harness.enqueue([
                try Sample.job("plain"),
                try Sample.job("tagged") { $0.tags = ["red", "blue"] },
                try Sample.job("named") { $0.customID = "k" },
                try Sample.job("batched") { $0.batch = batch.id },
            ])
            harness.clock.advance(1_000)
            let second = try await harness.enqueue([
                try Sample.job("elsewhere", queue: "other") { $0.tags = ["red"] },
                try Sample.job("other model", route: Sample.otherModel),
            ])
            let boundary = harness.now.timestamp
            let all = first + second
            #expect(try await ids(harness, JobFilter()) == all.reversed())
            #expect(try await ids(harness, JobFilter(tag: "red")) == [second[0], first[1]])
            #expect(try await ids(harness, JobFilter(queue: "default", tag: "red")) == [first[1]])
            #expect(try await ids(harness, JobFilter(customID: "k")) == [first[2]])
            #expect(try await ids(harness, JobFilter(batch: batch.id)) == [first[3]])
            #expect(try await ids(harness, JobFilter(queue: "other")) == [second[0]])
            #expect(try await ids(harness, JobFilter(queue: "unheard of")).isEmpty)
            #expect(try await ids(harness, JobFilter(model: Sample.otherModel.model)) == [second[1]])
            #expect(try await ids(harness, JobFilter(createdBefore: boundary)) == first.reversed())
            #expect(try await ids(harness, JobFilter(createdAfter: boundary + -1)) == second.reversed())
            #expect(try await ids(harness, JobFilter(createdAfter: boundary)).isEmpty)
            #expect(try await ids(harness, JobFilter(state: .queued)) == all.reversed())
            #expect(try await ids(harness, JobFilter(state: .failed)).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `times far away are bounds like others`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let all = try await harness.enqueue("one", "two")
            let far = try #require(Timestamp(text: "9999-01-01T00:00:00Z"))
            #expect(try await ids(harness, JobFilter(createdBefore: far)) == all.reversed())
            #expect(try await ids(harness, JobFilter(createdAfter: far)).isEmpty)
            let past = try #require(Timestamp(text: "1970-01-01T00:00:00Z"))
            #expect(try await ids(harness, JobFilter(createdAfter: past)) == all.reversed())
            #expect(try await ids(harness, JobFilter(createdBefore: past)).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `failed jobs are found by what went wrong`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue("one", "two", "three")
            let attempts = try await harness.claim()
            try await harness.meet(Sample.refusal(400, type: "invalid_request_error"), attempts[0])
            try await harness.meet(Sample.refusal(413, type: "request_too_large"), attempts[1])
            try await harness.meet(Sample.refusal(500, type: "api_error"), attempts[2])
            #expect(try await self.ids(harness, JobFilter(errorType: "request_too_large")) == [ids[1]])
            #expect(try await self.ids(harness, JobFilter(state: .failed)) == [ids[1], ids[0]])
            // What is tried again has not failed.
            #expect(try await self.ids(harness, JobFilter(errorType: "api_error")).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `bodies come only where they are asked for`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            func one(_ bodies: Bodies) async throws -> Job {
                try #require(
                    try await harness.store.jobs(JobFilter(), before: nil, limit: 1, bodies: bodies).first)
            }
            let bare = try await one([])
            #expect(bare.request == nil && bare.response == nil)
            #expect(bare.usage == Sample.answer().usage)
            #expect(try await one(.request).request != nil)
            #expect(try await one(.request).response == nil)
            #expect(try await one([.request, .response]).response == Sample.answer().body)
        }
    }

    @Test(arguments: Backend.allCases)
    func `states are told of those jobs that are known`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("one", "two")
            _ = try await harness.claim(1)
            let states = try await harness.store.states(of: ids + [JobID(4)])
            #expect(states == [ids[0]: .running, ids[1]: .queued])
            #expect(try await harness.store.job(JobID(4)) == nil)
        }
    }
}
