import Jobs
import Testing
import TestSupport

/// A run of identical refusals: a retired model, a typo in a template, or some bad rows among good ones.
@Suite struct RefusalStreakTests {
    /// Claims and refuses until nothing is given any more; returns how many calls that cost.
    private func burn(_ harness: StoreHarness, slots: Int, status: Int = 404) async throws -> Int {
        var calls = 0
        for _ in 0..<100 {
            let attempts = try await harness.claim(slots)
            if attempts.isEmpty { return calls }
            harness.clock.advance(200)
            for attempt in attempts {
                calls += 1
                try await harness.meet(
                    Sample.refusal(status, type: "not_found_error", message: "no such model"), attempt)
            }
        }
        return calls
    }

    private func heldBack(_ harness: StoreHarness, _ queue: String = "default") async throws -> [HeldBack] {
        try await harness.store.queue(queue)?.heldBack ?? []
    }

    @Test(arguments: Backend.allCases, [1, 7, 100])
    func
        `a run of identical refusals costs twenty calls and one more, and holds the others back with its message`(
            _ backend: Backend, slots: Int
        ) async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue(try Sample.jobs(100))
            #expect(try await burn(harness, slots: slots) == 21)
            let queue = try #require(try await harness.store.queue("default"))
            #expect(!queue.paused)
            let held = try #require(queue.heldBack.first)
            #expect(held.route == Sample.route.name && held.since == harness.now.timestamp)
            for words in [
                "21 jobs", "no such model", "renga retry --queue default", "renga resume queue default",
            ] {
                #expect(held.reason.contains(words))
            }
            #expect(queue.counts.failed == 21)
            #expect(queue.counts.queued == 79)
            let waiting = try await harness.job(ids[50]).waitingFor
            #expect(waiting?.reason == .pause && waiting?.detail == held.reason && waiting?.until != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `single other jobs go on asking, ever more rarely, and a success lets all go`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue(try Sample.jobs(100))
            _ = try await burn(harness, slots: 10)
            var asked: Set<JobID> = []
            for wait: Milliseconds in [1000, 2000, 4000, 8000] {
                let told = try #require(try await harness.fullClaim().wakeAfter)
                #expect(told <= wait)
                harness.clock.advance(wait)
                let attempts = try await harness.claim(10)
                #expect(attempts.count == 1)
                #expect(try await harness.claim(10).isEmpty)
                asked.formUnion(attempts.map(\.key.job))
                try await harness.meet(
                    Sample.refusal(404, type: "not_found_error", message: "no such model"), attempts[0])
            }
            // The newest ones: they have least in common with those that were refused.
            #expect(asked == Set(ids[95...98]))
            harness.clock.advance(300_000)
            try await harness.succeed(try await harness.claimOne())
            #expect(try await heldBack(harness).isEmpty)
            #expect(try await harness.claim(10).count == 10)
        }
    }

    @Test(arguments: Backend.allCases, [0, 40, 75])
    func `bad rows of a batch fail, and all others succeed with nobody's help`(_ backend: Backend, first: Int)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let jobs = try Sample.jobs(100, queue: "batches")
            let ids = try await harness.enqueue(jobs)
            let bad = Set(ids[first..<first + 25])
            let start = harness.now.timestamp
            while harness.now.timestamp - start < 600_000 {
                let claim = try await harness.fullClaim(16)
                harness.clock.advance(claim.attempts.isEmpty ? claim.wakeAfter ?? 1000 : 100)
                for attempt in claim.attempts {
                    guard bad.contains(attempt.key.job) else {
                        try await harness.succeed(attempt)
                        continue
                    }
                    try await harness.meet(
                        Sample.refusal(400, message: "Output blocked by content filtering policy"), attempt)
                }
                if try await harness.store.queue("batches")?.counts.finished == 100 { break }
            }
            let counts = try #require(try await harness.store.queue("batches")?.counts)
            #expect(counts.failed == 25 && counts.succeeded == 75)
            #expect(harness.now.timestamp - start < 60_000)
            #expect(try await heldBack(harness, "batches").isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who resumes the queue has twenty more tries`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(100))
            _ = try await burn(harness, slots: 10)
            #expect(try await heldBack(harness).count == 1)
            let resumed = try await harness.store.update(queue: "default", QueuePatch(paused: false))
            #expect(!resumed.paused && resumed.heldBack.isEmpty)
            #expect(try await burn(harness, slots: 10) == 21)
        }
    }

    @Test(arguments: Backend.allCases)
    func `another model of the same queue, and the same model of another queue, go on`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.warmUp(Sample.otherModel)
            try await harness.enqueue(try Sample.jobs(50))
            _ = try await burn(harness, slots: 10)
            #expect(try await heldBack(harness).count == 1)
            try await harness.enqueue((0..<5).map { try Sample.job("x \($0)", route: Sample.otherModel) })
            try await harness.enqueue(try Sample.jobs(5, queue: "another", prefix: "y"))
            let attempts = try await harness.claim(20)
            #expect(attempts.count == 10)
            #expect(Set(attempts.map(\.queue)) == ["default", "another"])
            for attempt in attempts { try await harness.succeed(attempt) }
            // What others' successes say is nothing of what is held back.
            #expect(try await heldBack(harness).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `refusals of calls that somebody waits for hold nothing back`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let server = try await harness.store.register(
                NewWorker(name: "server", host: "here", processID: 7, slots: 100, partition: .interactive))
            let request = ClaimRequest(
                worker: server, partition: .interactive, slots: 100, running: 0, lease: 30_000,
                services: [Sample.service])
            for turn in 0..<40 {
                let entrance = try await harness.store.enqueueAndClaim(
                    [try Sample.job("call \(turn)", queue: "interactive")], claiming: request)
                let attempt = try #require(entrance.claim.attempts.first)
                harness.clock.advance(100)
                try await harness.meet(Sample.refusal(400), attempt)
            }
            let queue = try #require(try await harness.store.queue("interactive"))
            #expect(!queue.paused && queue.heldBack.isEmpty && queue.counts.failed == 40)
            // Nor does what is held back of the queue's other jobs concern them.
            try await harness.enqueue(try Sample.jobs(50, queue: "interactive"))
            _ = try await burn(harness, slots: 10)
            #expect(try await heldBack(harness, "interactive").count == 1)
            let entrance = try await harness.store.enqueueAndClaim(
                [try Sample.job("a call", queue: "interactive")], claiming: request)
            #expect(entrance.claim.attempts.count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a success in between starts the count afresh`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(60))
            for turn in 1...50 {
                let attempt = try await harness.claimOne()
                harness.clock.advance(100)
                if turn.isMultiple(of: 15) {
                    try await harness.succeed(attempt)
                } else {
                    try await harness.meet(Sample.refusal(400), attempt)
                }
            }
            #expect(try await heldBack(harness).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `refusals of different kinds are no run`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue(try Sample.jobs(60))
            for turn in 1...40 {
                let attempt = try await harness.claimOne()
                harness.clock.advance(100)
                try await harness.meet(Sample.refusal(turn.isMultiple(of: 2) ? 400 : 413), attempt)
            }
            #expect(try await heldBack(harness).isEmpty)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a refused job does not hold its queue while another queue keeps the route busy`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(100, queue: "busy", prefix: "busy"))
            let busy = try await harness.claim(60)
            #expect(busy.count == 60)
            _ = try await harness.store.update(queue: "busy", QueuePatch(paused: true))
            try await harness.enqueue(try Sample.jobs(30))
            try await harness.meet(Sample.refusal(400), try await harness.claimOne())
            #expect(try await harness.claim(60).count == 19)
        }
    }
}
