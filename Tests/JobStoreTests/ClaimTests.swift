import Jobs
import Testing

@Suite struct ClaimTests {
    @Test(arguments: Backend.allCases)
    func `an enqueued job is claimed once, settled once, and found with its answer`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one", "two")
            bench.clock.advance(10)
            let attempts = try await bench.claim()
            #expect(attempts.map(\.key.job) == ids)
            #expect(try await bench.claim().isEmpty)

            bench.clock.advance(500)
            for attempt in attempts {
                #expect(try await bench.succeed(attempt) == .settled(.succeeded))
                #expect(try await bench.succeed(attempt) == .repeated)
            }
            let job = try await bench.job(ids[0])
            #expect(job.state == .succeeded)
            #expect(job.cost == Sample.cost)
            #expect(job.response == Sample.answer().body)
            #expect(job.finishedAt == bench.now.timestamp)
            #expect(!job.cached)
            let stats = try await bench.store.stats(now: bench.now)
            #expect(stats.counts.succeeded == 2)
            #expect(stats.counts.total == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an attempt carries all that the call needs`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let deadline = bench.now.timestamp + 90_000
            let new = try Sample.job("one", queue: "q") { $0.deadline = deadline }
            let id = try #require(try await bench.enqueue([new]).first)
            let attempt = try #require(try await bench.fullClaim(lease: 45_000).attempts.first)
            #expect(attempt.key == AttemptKey(job: id, number: 1))
            #expect(attempt.queue == "q")
            #expect(attempt.route == Sample.route)
            #expect(attempt.request == new.request)
            #expect(attempt.maxTokens == 64)
            #expect(attempt.leaseUntil == bench.now.moment + 45_000)
            #expect(attempt.deadline == deadline)
            #expect(attempt.failures == 0)
            #expect(!attempt.alone)
            let job = try await bench.job(id)
            #expect(job.state == .running)
            #expect(job.lease == Job.Lease(worker: "bench", until: bench.now.timestamp + 45_000))
            #expect(job.startedAt == bench.now.timestamp)
        }
    }

    @Test(arguments: Backend.allCases)
    func `no more is claimed than there are slots`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(60))
            #expect(try await bench.claim(0).isEmpty)
            #expect(try await bench.claim(7).count == 7)
            #expect(try await bench.claim(40).count == 40)
            #expect(try await bench.claim(40).count == 13)
        }
    }

    @Test(arguments: Backend.allCases)
    func `higher priority goes first, and equals go in their order`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([
                try Sample.job("low") { $0.priority = -5 }, try Sample.job("first"),
                try Sample.job("second"), try Sample.job("high") { $0.priority = 5 },
            ])
            let order = try await bench.claim().map(\.key.job)
            #expect(order == [ids[3], ids[1], ids[2], ids[0]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `age overtakes priority`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let old = try await bench.enqueue("old")
            bench.clock.advance(3 * 60_000)
            let young = try await bench.enqueue([
                try Sample.job("young") { $0.priority = 2 }, try Sample.job("urgent") { $0.priority = 4 },
            ])
            let order = try await bench.claim().map(\.key.job)
            #expect(order == [young[1], old[0], young[0]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a paused queue gives nothing until it is resumed`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            let other = try await bench.enqueue([try Sample.job("two", queue: "other")])
            _ = try await bench.store.update(queue: "default", QueuePatch(paused: true), now: bench.now)
            #expect(try await bench.claim().map(\.key.job) == other)
            #expect(try await bench.job(ids[0]).waitingFor?.gate == .pause)
            _ = try await bench.store.update(queue: "default", QueuePatch(paused: false), now: bench.now)
            #expect(try await bench.claim().map(\.key.job) == ids)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queue's concurrency holds across claims and workers`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueue(try Sample.jobs(10))
            _ = try await bench.store.update(queue: "default", QueuePatch(concurrency: 3), now: bench.now)
            let second = try await bench.store.register(
                NewWorker(name: "second", host: "here", processID: 2, slots: 5), now: bench.now)
            let first = try await bench.claim(2)
            let rest = try await bench.claim(5, as: second)
            #expect(first.count == 2)
            #expect(rest.count == 1)
            #expect(try await bench.claim().isEmpty)
            #expect(try await bench.job(ids[9]).waitingFor?.gate == .concurrency)

            try await bench.succeed(first[0])
            #expect(try await bench.claim().count == 1)
            _ = try await bench.store.update(
                queue: "default", QueuePatch(concurrency: .some(nil)), now: bench.now)
            #expect(try await bench.claim(20).count == 6)
        }
    }

    @Test(arguments: Backend.allCases)
    func `jobs of a service that the worker cannot call stay`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([
                try Sample.job("elsewhere", route: Sample.otherRoute), try Sample.job("here"),
            ])
            #expect(try await bench.claim().map(\.key.job) == [ids[1]])
            #expect(try await bench.claim(services: []).isEmpty)
            #expect(try await bench.claim(services: [Sample.otherService]).map(\.key.job) == [ids[0]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job whose deadline has passed fails at its claim and costs nothing`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let deadline = bench.now.timestamp + 1_000
            let ids = try await bench.enqueue([
                try Sample.job("late") { $0.deadline = deadline }, try Sample.job("free"),
            ])
            bench.clock.advance(1_000)
            #expect(try await bench.claim().map(\.key.job) == [ids[1]])
            let job = try await bench.job(ids[0])
            #expect(job.state == .failed)
            #expect(job.error?.type == "deadline_exceeded")
            #expect(job.attempt == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a closed gate closes its own lane only`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([
                try Sample.job("one"), try Sample.job("two", route: Sample.otherModel),
            ])
            _ = try await bench.store.update(route: Sample.route.name, paused: true, now: bench.now)
            #expect(try await bench.claim().map(\.key.job) == [ids[1]])
            #expect(try await bench.job(ids[0]).waitingFor?.gate == .pause)
            _ = try await bench.store.update(route: Sample.route.name, paused: false, now: bench.now)
            #expect(try await bench.claim().map(\.key.job) == [ids[0]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queued job says that it waits for a worker`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one")
            #expect(try await bench.job(ids[0]).waitingFor?.gate == .worker)
            try await bench.store.unregister(bench.worker, now: bench.now)
            let waiting = try await bench.job(ids[0]).waitingFor
            #expect(waiting?.gate == .worker)
            #expect(waiting?.detail.contains("no worker") == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `thousands of scheduled jobs that come due at once are all claimed`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(
                try Sample.jobs(1_200).map { job in
                    var job = job
                    job.delay = 1_000
                    return job
                })
            bench.clock.advance(1_000)
            var claimed = 0
            for _ in 0..<8 where claimed < 1_200 { claimed += try await bench.claim(400).count }
            #expect(claimed == 1_200)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one claim opens so many attempts, and says that there are more`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(600))
            var claims: [Claim] = []
            repeat { claims.append(try await bench.fullClaim(600)) } while claims.last?.more == true
            #expect(claims.map(\.attempts.count) == [256, 256, 88])
        }
    }
}
