import JobStoreSQLite
import Jobs
import Testing

/// Jobs whose callers wait in a serving process.
@Suite struct OwnLineTests {
    private func server(_ bench: Bench, _ name: String = "server") async throws -> WorkerID {
        try await bench.store.register(
            NewWorker(name: name, host: "here", processID: 7, slots: 100, line: .own), now: bench.now)
    }

    private func request(_ server: WorkerID, slots: Int = 100) -> ClaimRequest {
        ClaimRequest(
            worker: server, line: .own, slots: slots, running: 0, lease: 30_000, services: [Sample.service])
    }

    private func enter(_ jobs: [NewJob], _ server: WorkerID, slots: Int = 100, _ bench: Bench) async throws
        -> Entrance
    {
        try await bench.store.enter(jobs, claiming: request(server, slots: slots), now: bench.now)
    }

    /// The route has answered: from now on as many fly as the limits allow.
    private func learn(_ bench: Bench, requests: Int) async throws {
        try await bench.enqueue("first")
        let limits = LimitReport(requests: .init(limit: requests, remaining: requests))
        try await bench.succeed(try await bench.claimOne(), limits: limits)
    }

    @Test(arguments: Backend.allCases)
    func `a job is entered and claimed in one transaction`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let server = try await server(bench)
            let entrance = try await enter([try Sample.job("hello")], server, bench)
            let id = try #require(entrance.outcomes.first?.id)
            #expect(entrance.claim.attempts.map(\.key) == [AttemptKey(job: id, number: 1)])
            #expect(entrance.states[id] == .running)
            try await bench.succeed(entrance.claim.attempts[0])
            #expect(try await bench.job(id).state == .succeeded)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an interactive call reserves no more output than it is told to, and books what it cost`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let store = try #require(bench.store as? SQLiteJobStore)
            store.goBy { $0.interactiveReserveTokens = 10 }
            let limit = Money(nanodollars: 200_000)
            _ = try await store.set(
                Budget(name: "small", scope: .queue("default"), window: .day, limit: limit), now: bench.now)
            let server = try await server(bench)
            // 64 tokens out would be 320,000 and more.
            let entrance = try await enter([try Sample.job("hello")], server, bench)
            let attempt = try #require(entrance.claim.attempts.first)
            let reserved = try #require(try await store.budgets(now: bench.now).first).ledger.reserved
            #expect(reserved >= Money(nanodollars: 50_000) && reserved < Money(nanodollars: 100_000))
            var settlement = Sample.success(attempt.key)
            settlement.answer?.usage = Usage(inputTokens: 21, outputTokens: 30)
            _ = try await store.settle(settlement, now: bench.now)
            let settled = try #require(try await store.budgets(now: bench.now).first).ledger.settled
            #expect(settled == Money(nanodollars: 171_000))
            // Queued jobs reserve all of it.
            let ids = try await bench.enqueue("other")
            #expect(try await bench.claim(1).isEmpty)
            #expect(try await bench.job(ids[0]).error?.type == "never_affordable")
        }
    }

    @Test(arguments: Backend.allCases)
    func `nobody else claims it while its server lives, and everybody when it is gone`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let server = try await server(bench)
            let entrance = try await enter([try Sample.job("waits")], server, slots: 0, bench)
            #expect(entrance.states.values.map { $0 } == [.queued])
            #expect(try await bench.claim().isEmpty)
            bench.clock.advance(20_000)
            _ = try await bench.store.renew(server, attempts: [], lease: 30_000, now: bench.now)
            bench.clock.advance(20_000)
            _ = try await bench.store.reap(now: bench.now)
            #expect(try await bench.claim().isEmpty)
            bench.clock.advance(31_000)
            #expect(try await bench.store.reap(now: bench.now).more == false)
            #expect(try await bench.claim().map(\.key.job) == entrance.outcomes.compactMap(\.id))
        }
    }

    @Test(arguments: Backend.allCases)
    func `a server that says farewell leaves its line at once`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let server = try await server(bench)
            _ = try await enter([try Sample.job("waits")], server, slots: 0, bench)
            try await bench.store.unregister(server, now: bench.now)
            _ = try await bench.store.reap(now: bench.now)
            #expect(try await bench.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job whose lease ran out goes to the common line`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let server = try await server(bench)
            let entrance = try await enter([try Sample.job("dies")], server, bench)
            #expect(entrance.claim.attempts.count == 1)
            bench.clock.advance(31_000)
            _ = try await bench.store.reap(now: bench.now)
            #expect(
                try await bench.claim().map(\.key) == [AttemptKey(job: entrance.outcomes[0].id!, number: 2)])
        }
    }

    @Test(arguments: Backend.allCases)
    func `an own line that is left empty is taken over by the next server`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            for number in 0..<3 {
                let server = try await server(bench, "server \(number)")
                let entrance = try await enter([try Sample.job("job \(number)")], server, bench)
                try await bench.succeed(entrance.claim.attempts[0])
                try await bench.store.unregister(server, now: bench.now)
            }
            // One row of the queue: its lanes did not multiply.
            let queues = try await bench.store.queues()
            #expect(queues.map(\.counts.succeeded) == [3])
        }
    }

    @Test(arguments: Backend.allCases)
    func `who comes back with the key of a call that was cancelled before it began has it anew`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let server = try await server(bench)
            var job = try Sample.job("hello")
            job.idempotency = .init(key: "k", ordinal: 0)
            job.fingerprint = [1]
            let first = try await enter([job], server, slots: 0, bench)
            let id = try #require(first.outcomes.first?.id)
            #expect(try await bench.store.withdraw(id, now: bench.now) == .changed)
            let again = try await enter([job], server, bench)
            #expect(again.outcomes == [.existing(id)] && again.states[id] == .running)
            let attempt = try #require(again.claim.attempts.first)
            // One that had begun is over once it is cancelled.
            _ = try await bench.store.cancel(id, now: bench.now)
            _ = try await bench.store.settle(
                Settlement(key: attempt.key, verdict: .handedBack(sent: false), routeEvent: .neutral),
                now: bench.now)
            #expect(try await enter([job], server, bench).states[id] == .cancelled)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who comes back with the key takes over a job that waits elsewhere`(_ backend: Backend) async throws
    {
        try await Bench.run(backend) { bench in
            let first = try await server(bench, "first")
            var job = try Sample.job("keyed")
            job.idempotency = .init(key: "k", ordinal: 0)
            _ = try await enter([job], first, slots: 0, bench)
            let second = try await server(bench, "second")
            // The first may still live: its line stays its own.
            let early = try await enter([job], second, bench)
            #expect(early.claim.attempts.isEmpty)
            try await bench.store.unregister(first, now: bench.now)
            let late = try await enter([job], second, bench)
            #expect(late.outcomes == early.outcomes)
            #expect(late.claim.attempts.count == 1)
            #expect(late.claim.attempts.first?.isKeyed == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `only a job that has not begun is withdrawn`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let server = try await server(bench)
            let waiting = try await enter([try Sample.job("waits")], server, slots: 0, bench)
            let id = try #require(waiting.outcomes[0].id)
            #expect(try await bench.store.withdraw(id, now: bench.now) == .changed)
            #expect(try await bench.job(id).state == .cancelled)
            let running = try await enter([try Sample.job("runs")], server, bench)
            #expect(
                try await bench.store.withdraw(running.outcomes[0].id!, now: bench.now) == .refused(.running))
            try await bench.succeed(running.claim.attempts[0])
        }
    }

    @Test(arguments: Backend.allCases)
    func `callers who wait go before the backlog, and the backlog still moves`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            try await learn(bench, requests: 60)
            let server = try await server(bench)
            try await bench.enqueue(try Sample.jobs(200))
            var taken = (own: 0, common: 0)
            _ = try await enter(
                try Sample.jobs(200, queue: "interactive", prefix: "call"), server, slots: 0, bench)
            // Both ask all the time, and a request comes free every second.
            for round in 0..<120 {
                bench.clock.advance(1_000)
                _ = try await bench.store.renew(server, attempts: [], lease: 30_000, now: bench.now)
                for isServer in round.isMultiple(of: 2) ? [true, false] : [false, true] {
                    let attempts =
                        isServer
                        ? try await bench.store.claim(request(server), now: bench.now).attempts
                        : try await bench.claim(100)
                    if isServer { taken.own += attempts.count } else { taken.common += attempts.count }
                    for attempt in attempts { try await bench.succeed(attempt, "\(attempt.key)") }
                }
            }
            #expect(taken.own + taken.common > 150)
            #expect(taken.common >= 10, "the backlog got \(taken.common) of \(taken.own + taken.common)")
            #expect(taken.own >= taken.common * 5, "callers got \(taken.own), the backlog \(taken.common)")
        }
    }
}
