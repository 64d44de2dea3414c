import JobStoreSQLite
import Jobs
import Testing
import TestSupport

/// Jobs whose callers wait in a serving process.
@Suite struct InteractiveLaneTests {
    private func server(_ harness: StoreHarness, _ name: String = "server") async throws -> WorkerID {
        try await harness.store.register(
            NewWorker(name: name, host: "here", processID: 7, slots: 100, partition: .interactive))
    }

    private func request(_ server: WorkerID, slots: Int = 100) -> ClaimRequest {
        ClaimRequest(
            worker: server, partition: .interactive, slots: slots, running: 0, lease: 30_000,
            services: [Sample.service])
    }

    private func enter(_ jobs: [NewJob], _ server: WorkerID, slots: Int = 100, _ harness: StoreHarness)
        async throws
        -> EnqueueAndClaimResult
    {
        try await harness.store.enqueueAndClaim(jobs, claiming: request(server, slots: slots))
    }

    /// The route has answered: from now on as many fly as the limits allow.
    private func learn(_ harness: StoreHarness, requests: Int) async throws {
        try await harness.enqueue("first")
        let limits = LimitReport(requests: .init(limit: requests, remaining: requests))
        try await harness.succeed(try await harness.claimOne(), limits: limits)
    }

    @Test(arguments: Backend.allCases)
    func `a job is entered and claimed in one transaction`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let server = try await server(harness)
            let entrance = try await enter([try Sample.job("hello")], server, harness)
            let id = try #require(entrance.outcomes.first?.id)
            #expect(entrance.claim.attempts.map(\.key) == [AttemptKey(job: id, number: 1)])
            #expect(entrance.states[id] == .running)
            try await harness.succeed(entrance.claim.attempts[0])
            #expect(try await harness.job(id).state == .succeeded)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an interactive call reserves no more output than it is told to, and books what it cost`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let store = try #require(harness.store as? SQLiteJobStore)
            store.goBy { $0.interactiveReserveTokens = 10 }
            let limit = Money(nanodollars: 200_000)
            _ = try await store.set(
                Budget(name: "small", scope: .queue("default"), window: .day, limit: limit))
            let server = try await server(harness)
            // 64 tokens out would be 320,000 and more.
            let entrance = try await enter([try Sample.job("hello")], server, harness)
            let attempt = try #require(entrance.claim.attempts.first)
            let reserved = try #require(try await store.budgets().first).ledger.reserved
            #expect(reserved >= Money(nanodollars: 50_000) && reserved < Money(nanodollars: 100_000))
            var settlement = Sample.success(attempt.key)
            settlement.answer?.usage = Usage(inputTokens: 21, outputTokens: 30)
            _ = try await store.settle(settlement)
            let settled = try #require(try await store.budgets().first).ledger.settled
            #expect(settled == Money(nanodollars: 171_000))
            // Queued jobs reserve all of it.
            let ids = try await harness.enqueue("other")
            #expect(try await harness.claim(1).isEmpty)
            #expect(try await harness.job(ids[0]).error?.type == "never_affordable")
        }
    }

    @Test(arguments: Backend.allCases)
    func `nobody else claims it while its server lives, and everybody when it is gone`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let server = try await server(harness)
            let entrance = try await enter([try Sample.job("waits")], server, slots: 0, harness)
            #expect(entrance.states.values.map { $0 } == [.queued])
            #expect(try await harness.claim().isEmpty)
            harness.clock.advance(20_000)
            _ = try await harness.store.renew(server, attempts: [], lease: 30_000)
            harness.clock.advance(20_000)
            _ = try await harness.store.reap()
            #expect(try await harness.claim().isEmpty)
            harness.clock.advance(31_000)
            #expect(try await harness.store.reap().more == false)
            #expect(try await harness.claim().map(\.key.job) == entrance.outcomes.compactMap(\.id))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a server that says farewell leaves its line at once`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let server = try await server(harness)
            _ = try await enter([try Sample.job("waits")], server, slots: 0, harness)
            try await harness.store.unregister(server)
            _ = try await harness.store.reap()
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job whose lease ran out goes to the common line`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let server = try await server(harness)
            let entrance = try await enter([try Sample.job("dies")], server, harness)
            #expect(entrance.claim.attempts.count == 1)
            harness.clock.advance(31_000)
            _ = try await harness.store.reap()
            #expect(
                try await harness.claim().map(\.key) == [AttemptKey(job: entrance.outcomes[0].id!, number: 2)]
            )
        }
    }

    @Test(arguments: Backend.allCases)
    func `an own line that is left empty is taken over by the next server`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            for number in 0..<3 {
                let server = try await server(harness, "server \(number)")
                let entrance = try await enter([try Sample.job("job \(number)")], server, harness)
                try await harness.succeed(entrance.claim.attempts[0])
                try await harness.store.unregister(server)
            }
            // One row of the queue: its lanes did not multiply.
            let queues = try await harness.store.queues()
            #expect(queues.map(\.counts.succeeded) == [3])
        }
    }

    @Test(arguments: Backend.allCases)
    func `who comes back with the key of a call that was cancelled before it began has it anew`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let server = try await server(harness)
            var job = try Sample.job("hello")
            job.idempotency = .init(key: "k", ordinal: 0)
            job.fingerprint = [1]
            let first = try await enter([job], server, slots: 0, harness)
            let id = try #require(first.outcomes.first?.id)
            #expect(try await harness.store.cancelIfQueued(id) == .changed)
            let again = try await enter([job], server, harness)
            #expect(again.outcomes == [.existing(id)] && again.states[id] == .running)
            let attempt = try #require(again.claim.attempts.first)
            // One that had begun is over once it is cancelled.
            _ = try await harness.store.cancel(id)
            _ = try await harness.store.settle(
                Settlement(key: attempt.key, verdict: .handedBack(sent: false), routeEvent: .neutral))
            #expect(try await enter([job], server, harness).states[id] == .cancelled)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who comes back with the key takes over a job that waits elsewhere`(_ backend: Backend) async throws
    {
        try await StoreHarness.run(backend) { harness in
            let first = try await server(harness, "first")
            var job = try Sample.job("keyed")
            job.idempotency = .init(key: "k", ordinal: 0)
            _ = try await enter([job], first, slots: 0, harness)
            let second = try await server(harness, "second")
            // The first may still live: its line stays its own.
            let early = try await enter([job], second, harness)
            #expect(early.claim.attempts.isEmpty)
            try await harness.store.unregister(first)
            let late = try await enter([job], second, harness)
            #expect(late.outcomes == early.outcomes)
            #expect(late.claim.attempts.count == 1)
            #expect(late.claim.attempts.first?.isKeyed == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `only a job that has not begun is withdrawn`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let server = try await server(harness)
            let waiting = try await enter([try Sample.job("waits")], server, slots: 0, harness)
            let id = try #require(waiting.outcomes[0].id)
            #expect(try await harness.store.cancelIfQueued(id) == .changed)
            #expect(try await harness.job(id).state == .cancelled)
            let running = try await enter([try Sample.job("runs")], server, harness)
            #expect(
                try await harness.store.cancelIfQueued(running.outcomes[0].id!)
                    == .refused(.running))
            try await harness.succeed(running.claim.attempts[0])
        }
    }

    @Test(arguments: Backend.allCases)
    func `callers who wait go before the backlog, and the backlog still moves`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await learn(harness, requests: 60)
            let server = try await server(harness)
            try await harness.enqueue(try Sample.jobs(200))
            var taken = (own: 0, common: 0)
            _ = try await enter(
                try Sample.jobs(200, queue: "interactive", prefix: "call"), server, slots: 0, harness)
            // Both ask all the time, and a request comes free every second.
            for round in 0..<120 {
                harness.clock.advance(1_000)
                _ = try await harness.store.renew(server, attempts: [], lease: 30_000)
                for isServer in round.isMultiple(of: 2) ? [true, false] : [false, true] {
                    let attempts =
                        isServer
                        ? try await harness.store.claim(request(server)).attempts
                        : try await harness.claim(100)
                    if isServer { taken.own += attempts.count } else { taken.common += attempts.count }
                    for attempt in attempts { try await harness.succeed(attempt, "\(attempt.key)") }
                }
            }
            #expect(taken.own + taken.common > 150)
            #expect(taken.common >= 10, "the backlog got \(taken.common) of \(taken.own + taken.common)")
            #expect(taken.own >= taken.common * 5, "callers got \(taken.own), the backlog \(taken.common)")
        }
    }
}
