import Jobs
import Testing
import TestSupport

@Suite struct ClaimTests {
    @Test(arguments: StoreUnderTest.all)
    func `an enqueued job is claimed once, settled once, and found with its answer`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue("one", "two")
            harness.clock.advance(10)
            let attempts = try await harness.claim()
            #expect(attempts.map(\.key.job) == ids)
            #expect(try await harness.claim().isEmpty)

            harness.clock.advance(500)
            for attempt in attempts {
                #expect(try await harness.succeed(attempt) == .settled(.succeeded))
                #expect(try await harness.succeed(attempt) == .repeated)
            }
            let job = try await harness.job(ids[0])
            #expect(job.state == .succeeded)
            #expect(job.cost == Sample.cost)
            #expect(job.response == Sample.answer().body)
            #expect(job.finishedAt == harness.now.timestamp)
            #expect(!job.cached)
            let stats = try await harness.store.stats()
            #expect(stats.counts.succeeded == 2)
            #expect(stats.counts.total == 2)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an attempt carries all that the call needs`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let deadline = harness.now.timestamp + 90_000
            let new = try Sample.job("one", queue: "q") { $0.deadline = deadline }
            let id = try #require(try await harness.enqueue([new]).first)
            let attempt = try #require(try await harness.fullClaim(lease: 45_000).attempts.first)
            #expect(attempt.key == AttemptKey(job: id, number: 1))
            #expect(attempt.queue == "q")
            #expect(attempt.route == Sample.route)
            #expect(attempt.request == new.request)
            #expect(attempt.maxTokens == 64)
            #expect(attempt.leaseUntil == harness.store.now().moment + 45_000)
            #expect(attempt.deadline == deadline)
            #expect(attempt.failures == 0)
            #expect(!attempt.alone)
            let job = try await harness.job(id)
            #expect(job.state == .running)
            #expect(job.lease == Job.Lease(worker: "bench", until: harness.now.timestamp + 45_000))
            #expect(job.startedAt == harness.now.timestamp)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `no more is claimed than there are slots`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(60))
            #expect(try await harness.claim(0).isEmpty)
            #expect(try await harness.claim(7).count == 7)
            #expect(try await harness.claim(40).count == 40)
            #expect(try await harness.claim(40).count == 13)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `higher priority goes first, and equals go in their order`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("low") { $0.priority = -5 }, try Sample.job("first"),
                try Sample.job("second"), try Sample.job("high") { $0.priority = 5 },
            ])
            let order = try await harness.claim().map(\.key.job)
            #expect(order == [ids[3], ids[1], ids[2], ids[0]])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `age overtakes priority`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let old = try await harness.enqueue("old")
            harness.clock.advance(3 * 60_000)
            let young = try await harness.enqueue([
                try Sample.job("young") { $0.priority = 2 }, try Sample.job("urgent") { $0.priority = 4 },
            ])
            let order = try await harness.claim().map(\.key.job)
            #expect(order == [young[1], old[0], young[0]])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a paused queue gives nothing until it is resumed`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue("one")
            let other = try await harness.enqueue([try Sample.job("two", queue: "other")])
            _ = try await harness.store.update(queue: "default", QueuePatch(paused: true))
            #expect(try await harness.claim().map(\.key.job) == other)
            #expect(try await harness.job(ids[0]).waitingFor?.reason == .pause)
            _ = try await harness.store.update(queue: "default", QueuePatch(paused: false))
            #expect(try await harness.claim().map(\.key.job) == ids)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a queue's concurrency holds across claims and workers`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(10))
            _ = try await harness.store.update(queue: "default", QueuePatch(concurrency: 3))
            let second = try await harness.store.register(
                NewWorker(name: "second", host: "here", processID: 2, slots: 5))
            let first = try await harness.claim(2)
            let rest = try await harness.claim(5, as: second)
            #expect(first.count == 2)
            #expect(rest.count == 1)
            #expect(try await harness.claim().isEmpty)
            #expect(try await harness.job(ids[9]).waitingFor?.reason == .concurrency)

            try await harness.succeed(first[0])
            #expect(try await harness.claim().count == 1)
            _ = try await harness.store.update(queue: "default", QueuePatch(concurrency: .some(nil)))
            #expect(try await harness.claim(20).count == 6)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `jobs of a service that the worker cannot call stay`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("elsewhere", route: Sample.otherRoute), try Sample.job("here"),
            ])
            #expect(try await harness.claim().map(\.key.job) == [ids[1]])
            #expect(try await harness.claim(services: []).isEmpty)
            #expect(try await harness.claim(services: [Sample.otherService]).map(\.key.job) == [ids[0]])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job whose deadline has passed fails at its claim and costs nothing`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            let deadline = harness.now.timestamp + 1_000
            let ids = try await harness.enqueue([
                try Sample.job("late") { $0.deadline = deadline }, try Sample.job("free"),
            ])
            harness.clock.advance(1_000)
            #expect(try await harness.claim().map(\.key.job) == [ids[1]])
            let job = try await harness.job(ids[0])
            #expect(job.state == .failed)
            #expect(job.error?.type == "deadline_exceeded")
            #expect(job.attempt == 0)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a closed gate closes its own lane only`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("one"), try Sample.job("two", route: Sample.otherModel),
            ])
            _ = try await harness.store.update(route: Sample.route.name, paused: true)
            #expect(try await harness.claim().map(\.key.job) == [ids[1]])
            #expect(try await harness.job(ids[0]).waitingFor?.reason == .pause)
            _ = try await harness.store.update(route: Sample.route.name, paused: false)
            #expect(try await harness.claim().map(\.key.job) == [ids[0]])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a queued job says that it waits for a worker`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue("one")
            #expect(try await harness.job(ids[0]).waitingFor?.reason == .worker)
            try await harness.store.unregister(harness.worker)
            let waiting = try await harness.job(ids[0]).waitingFor
            #expect(waiting?.reason == .worker)
            #expect(waiting?.detail.contains("no worker") == true)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `thousands of scheduled jobs that come due at once are all claimed`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(
                try Sample.jobs(1_200).map { job in
                    var job = job
                    job.delay = 1_000
                    return job
                })
            harness.clock.advance(1_000)
            var claimed = 0
            for _ in 0..<8 where claimed < 1_200 { claimed += try await harness.claim(400).count }
            #expect(claimed == 1_200)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `one claim opens so many attempts, and says that there are more`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(600))
            var claims: [Claim] = []
            repeat { claims.append(try await harness.fullClaim(600)) } while claims.last?.more == true
            #expect(claims.map(\.attempts.count) == [256, 256, 88])
        }
    }
}
