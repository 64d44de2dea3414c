import Jobs
import Testing
import TestSupport

@Suite struct StatsTests {
    @Test(arguments: Backend.allCases)
    func `an empty store has nothing to tell`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let stats = try await harness.store.stats()
            #expect(stats.counts.total == 0)
            #expect(stats.queues.isEmpty && stats.routes.isEmpty && stats.spend.isEmpty)
            #expect(stats.oldestReady == nil)
            #expect(stats.workers.map(\.name) == ["bench"])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a route leaves the lists a day after its last job`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let misspelt = RouteKey(service: Sample.service, model: "claude-haiku-4-6")
            let waiting = RouteKey(service: Sample.service, model: "claude-sonnet-5")
            try await harness.enqueue([try Sample.job("a", route: misspelt)])
            try await harness.meet(Sample.refusal(404), try await harness.claimOne())
            try await harness.enqueue([try Sample.job("b", route: waiting)])
            let names = { try await harness.store.routes().map(\.name) }
            #expect(try await Set(names()) == [misspelt.name, waiting.name])
            harness.clock.advance(86_400_000 + 1)
            #expect(try await names() == [waiting.name])
            #expect(try await harness.store.stats().routes.map(\.name) == [waiting.name])
            try await harness.enqueue([try Sample.job("c", route: misspelt)])
            #expect(try await names().count == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `counts, workers, spending and the oldest ready job are told`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let created = harness.now.timestamp
            try await harness.enqueue("one", "two", "three", "four")
            harness.clock.advance(5_000)
            try await harness.enqueue("young")
            let attempts = try await harness.claim(3)
            try await harness.succeed(attempts[0])
            try await harness.meet(Sample.refusal(400), attempts[1])
            let stats = try await harness.store.stats()
            #expect(stats.counts.succeeded == 2)
            #expect(stats.counts.failed == 1)
            #expect(stats.counts.running == 1)
            #expect(stats.counts.queued == 2)
            #expect(stats.oldestReady == created)
            #expect(stats.workers.first?.running == 1)
            #expect(stats.workers.first?.slots == 5)
            #expect(stats.answers == 2)
            let spend = try #require(stats.spend.first)
            #expect(spend.day == created.text.prefix(10))
            #expect(spend.calls == 3)
            #expect(spend.cost == Money(nanodollars: 82_000))
            #expect(spend.usage.inputTokens == 42)
            #expect(spend.usage.outputTokens == 8)
        }
    }

    @Test(arguments: Backend.allCases)
    func `spending is told by day, newest first`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            for text in ["one", "two", "three"] {
                try await harness.enqueue([try Sample.job(text)])
                try await harness.succeed(try await harness.claimOne())
                harness.clock.advance(86_400_000)
            }
            let spend = try await harness.store.stats().spend
            #expect(spend.count == 3)
            #expect(spend.map(\.day) == spend.map(\.day).sorted(by: >))
            #expect(spend.allSatisfy { $0.calls == 1 && $0.cost == Sample.cost })
        }
    }
}
