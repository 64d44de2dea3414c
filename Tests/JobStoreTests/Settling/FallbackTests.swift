import JSON
import Jobs
import TestSupport
import Testing

/// Another route answers where a job's own is closed, or could not do it.
@Suite struct FallbackTests {
    private static let chain = FallbackChains([
        Sample.route: [
            Fallback(route: Sample.otherModel, causes: [.breaker, .overloaded, .refused, .rateLimit])
        ]
    ])

    private func run(_ backend: Backend, _ body: (StoreHarness) async throws -> Void) async throws {
        try await StoreHarness.run(backend, fallbacks: Self.chain) { harness in
            try await harness.warmUp()
            try await body(harness)
        }
    }

    /// Opens the breaker of the jobs' own route.
    private func breakRoute(_ harness: StoreHarness) async throws {
        try await harness.enqueue(try Sample.jobs(RouteGate.tripAfter, queue: "broken", prefix: "broken"))
        for attempt in try await harness.claim(RouteGate.tripAfter) {
            try await harness.settle(
                attempt.key, .failed(JobError(type: "t", message: "m", retryable: false)), .unavailable)
        }
        #expect(try await harness.route().gate?.reason == .breaker)
    }

    private func overload(_ attempt: ClaimedAttempt, _ harness: StoreHarness) async throws {
        try await harness.meet(Sample.refusal(529, type: "overloaded_error", message: "busy"), attempt)
    }

    @Test(arguments: Backend.allCases)
    func `with the breaker open the fallback answers, asked for its own model`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            try await breakRoute(harness)
            let ids = try await harness.enqueue("one")
            let attempt = try await harness.claimOne()
            #expect(attempt.route == Sample.otherModel)
            #expect(try JSON.parse(attempt.request)["model"]?.string == Sample.otherModel.model)
            try await harness.succeed(attempt)
            let job = try await harness.job(ids[0])
            #expect(job.state == .succeeded && job.route == Sample.otherModel.name)
            let history = try #require(try await harness.store.attempts(of: ids[0]))
            #expect(history.map(\.route) == [Sample.otherModel.name])
            #expect(history.map(\.fallback) == [.breaker])
        }
    }

    @Test(arguments: Backend.allCases)
    func `what a fallback said is not the route's own word`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            try await breakRoute(harness)
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            try await harness.enqueue("one")
            let again = try await harness.fullClaim()
            #expect(again.settledFromCache == 1, "whoever would fall back again shares the fallback's answer")
            harness.clock.advance(10_000)
            try await harness.enqueue("one")
            let probe = try await harness.claimOne()
            #expect(probe.route == Sample.route)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who finds a fallback's answer frees those that wait for its own call`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            try await breakRoute(harness)
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            harness.clock.advance(10_000)
            let ids = try await harness.enqueue("one", "one", "one")
            let probe = try await harness.claimOne()
            #expect(probe.route == Sample.route)
            #expect(try await harness.claim().isEmpty)
            try await harness.settle(
                probe.key, .wait(JobError(type: "t", message: "m", retryable: true)), .unavailable)
            for _ in 1...2 { #expect(try await harness.claim().isEmpty) }
            #expect(try await harness.states(ids) == [.succeeded, .succeeded, .succeeded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `identical prompts share the call on the fallback`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            try await breakRoute(harness)
            let ids = try await harness.enqueue("one", "one", "one")
            let attempts = try await harness.claim()
            #expect(attempts.count == 1)
            try await harness.succeed(attempts[0])
            #expect(try await harness.fullClaim().settledFromCache == 2)
            #expect(try await harness.states(ids).allSatisfy { $0 == .succeeded })
        }
    }

    @Test(arguments: Backend.allCases)
    func `a worker that dies on the fallback leaves the call to those that wait`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            try await breakRoute(harness)
            try await harness.enqueue("one", "one")
            #expect(try await harness.claim().count == 1)
            harness.clock.advance(31_000)
            _ = try await harness.store.reap()
            #expect(try await harness.claim().count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an overloaded route is left at once and without blame`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            let ids = try await harness.enqueue("one")
            try await overload(try await harness.claimOne(), harness)
            let second = try await harness.claimOne()
            #expect(second.route == Sample.otherModel)
            try await harness.succeed(second)
            let job = try await harness.job(ids[0])
            #expect(job.attemptsCounted == 1 && job.route == Sample.otherModel.name)
            let history = try #require(try await harness.store.attempts(of: ids[0]))
            #expect(history.map(\.verdict) == ["fell_back", "succeeded"])
            #expect(history.map(\.fallback) == [nil, .overloaded])
        }
    }

    @Test(arguments: Backend.allCases)
    func `when all fail the error names each`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            let ids = try await harness.enqueue("one")
            try await harness.meet(
                Sample.refusal(400, type: "invalid_request_error", message: "too odd"),
                try await harness.claimOne())
            try await harness.meet(
                Sample.refusal(404, type: "not_found_error", message: "gone"), try await harness.claimOne())
            let error = try #require(try await harness.job(ids[0]).error)
            for words in [Sample.route.name, "too odd", Sample.otherModel.name, "gone"] {
                #expect(error.message.contains(words))
            }
        }
    }

    @Test(arguments: Backend.allCases)
    func `a model that refuses to answer gives way, and the last refusal is the answer`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            let ids = try await harness.enqueue("one")
            for route in [Sample.route, Sample.otherModel] {
                let attempt = try await harness.claimOne()
                #expect(attempt.route == route)
                var settlement = Sample.success(attempt.key)
                settlement.answer = Sample.answer("no", stopReason: "refusal")
                _ = try await harness.store.settle(settlement)
            }
            #expect(try await harness.job(ids[0]).state == .succeeded)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job whose fallback is closed does not stand in the way of its lane`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            try await harness.warmUp(Sample.otherModel)
            try await harness.enqueue("one")
            try await overload(try await harness.claimOne(), harness)
            _ = try await harness.store.update(route: Sample.otherModel.name, paused: true)
            let ids = try await harness.enqueue("two")
            #expect(try await harness.claim().map(\.key.job) == ids)
            _ = try await harness.store.update(route: Sample.otherModel.name, paused: false)
            harness.clock.advance(1000)
            #expect(try await harness.claim().map(\.route) == [Sample.otherModel])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job whose fallback is closed waits for that, and says so`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            try await harness.warmUp(Sample.otherModel)
            try await harness.enqueue([try Sample.job("theirs", route: Sample.otherModel)])
            let theirs = try await harness.claimOne()
            let ids = try await harness.enqueue("one")
            try await overload(try await harness.claimOne(), harness)
            harness.clock.advance(10)
            try await harness.meet(Sample.refusal(429, retryAfter: 60_000), theirs)
            let gate = try #require(try await harness.route(Sample.otherModel.name).gate)
            for isLaidAside in [false, true] {
                if isLaidAside { #expect(try await harness.claim().isEmpty) }
                let waiting = try #require(try await harness.job(ids[0]).waitingFor)
                #expect(waiting.reason == .rateLimit && waiting.detail == gate.detail)
                #expect(
                    waiting.until == gate.until && waiting.estimatedAt.map { $0 >= gate.until ?? $0 } == true)
            }
            _ = try await harness.store.update(route: Sample.otherModel.name, paused: true)
            let paused = try #require(try await harness.job(ids[0]).waitingFor)
            #expect(paused.reason == .pause && paused.until == nil)
            _ = try await harness.store.update(route: Sample.otherModel.name, paused: false)
            harness.clock.advance(90_000)
            let routes = [JobID: RouteKey](
                uniqueKeysWithValues: try await harness.claim().map { ($0.key.job, $0.route) })
            #expect(routes[ids[0]] == Sample.otherModel, "\(routes)")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job held for a time or after a failure is not said to wait for its fallback`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            try await harness.warmUp(Sample.otherModel)
            let ids = try await harness.enqueue("one")
            try await overload(try await harness.claimOne(), harness)
            let error = JobError(type: "api_error", message: "m", retryable: true)
            try await harness.settle(try await harness.claimOne().key, .again(after: 2_000, error, .counted))
            #expect(try await harness.job(ids[0]).waitingFor?.reason == .retry)
        }
    }

    /// $0.25 and $1.25 a million, a quarter of the other's.
    private static let cheap = RouteKey(service: Sample.service, model: "claude-3-haiku-20240307")

    @Test(arguments: Backend.allCases)
    func `what a budget keeps from its route a cheaper one answers, until the budget's next window`(
        _ backend: Backend
    ) async throws {
        let chain = FallbackChains([Sample.route: [Fallback(route: Self.cheap, causes: [.budget])]])
        try await StoreHarness.run(backend, fallbacks: chain) { harness in
            try await harness.warmUp()
            let job = try Sample.job("one")
            let price = try #require(PriceTable.standard.price(of: Sample.route, at: harness.now.timestamp))
            let worst = try #require(price.worstCase(job.bound, maxTokens: 64))
            // What the day had cost already counts.
            let limit = Money(nanodollars: worst.nanodollars * 4 / 3) + Sample.cost
            try await harness.store.configure(budgets: [Budget(name: "daily", window: .day, limit: limit)])
            let ids = try await harness.enqueue([job, try Sample.job("two"), try Sample.job("six")])
            let today = [try await harness.claimOne(), try await harness.claimOne()]
            #expect(today.map(\.route) == [Sample.route, Self.cheap])
            #expect(try await harness.claim().isEmpty)
            let waiting = try #require(try await harness.job(ids[2]).waitingFor)
            #expect(
                waiting.reason == .budget && waiting.until == Budget.Window.day.end(at: harness.now.timestamp)
            )
            harness.clock.advance(Timestamp.day)
            let tomorrow = try await harness.claimOne()
            #expect(tomorrow.route == Sample.route)
            for attempt in today + [tomorrow] { try await harness.succeed(attempt) }
            var causes: [[Fallback.Cause?]?] = []
            for id in ids { causes.append(try await harness.store.attempts(of: id)?.map(\.fallback)) }
            #expect(causes == [[nil], [.budget], [nil]])
            #expect(try await harness.job(ids[1]).route == Self.cheap.name)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who retries a job begins with its own route`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            let ids = try await harness.enqueue("one")
            for _ in 1...2 { try await harness.meet(Sample.refusal(400), try await harness.claimOne()) }
            #expect(try await harness.store.retry(ids[0], change: RetryChange()) == .changed)
            #expect(try await harness.claimOne().route == Sample.route)
        }
    }

    @Test(arguments: Backend.allCases)
    func `refusals that another route makes good do not blow the fuse`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(30))
            for _ in 1...60 {
                let attempt = try await harness.claimOne()
                if attempt.route == Sample.route {
                    try await harness.meet(Sample.refusal(400), attempt)
                } else {
                    try await harness.succeed(attempt)
                }
            }
            #expect(try await harness.store.queue("default")?.paused == false)
        }
    }

    private static let unsendable = Outcome(
        .broken(Breakage(kind: .unsendable, message: "top_k", maySent: false)))

    @Test(arguments: Backend.allCases)
    func `what a route's provider cannot be asked, the next one is`(_ backend: Backend) async throws {
        try await run(backend) { harness in
            let ids = try await harness.enqueue("one")
            try await harness.meet(Self.unsendable, try await harness.claimOne())
            let second = try await harness.claimOne()
            #expect(second.route == Sample.otherModel)
            try await harness.meet(Self.unsendable, second)
            #expect(try await harness.job(ids[0]).state == .failed)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job lent to a route that cannot be asked it waits for its own again`(_ backend: Backend)
        async throws
    {
        try await run(backend) { harness in
            try await breakRoute(harness)
            let ids = try await harness.enqueue("one")
            let lent = try await harness.claimOne()
            #expect(lent.route == Sample.otherModel)
            try await harness.meet(Self.unsendable, lent)
            let job = try await harness.job(ids[0])
            #expect(job.state == .queued && job.attemptsCounted == 0)
            #expect(try await harness.claim().isEmpty)
            harness.clock.advance(70_000)
            let home = try await harness.claimOne()
            #expect(home.route == Sample.route)
            try await harness.succeed(home)
            #expect(try await harness.job(ids[0]).state == .succeeded)
        }
    }
}
