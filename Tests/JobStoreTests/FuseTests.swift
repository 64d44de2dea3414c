import Jobs
import Testing

/// A run of identical refusals: a retired model, a typo in a template.
@Suite struct FuseTests {
    /// Claims and refuses until nothing is given any more; returns how many calls that cost.
    private func burn(_ bench: Bench, slots: Int, status: Int = 404) async throws -> Int {
        var calls = 0
        for _ in 0..<100 {
            let attempts = try await bench.claim(slots)
            if attempts.isEmpty { return calls }
            bench.clock.advance(200)
            for attempt in attempts {
                calls += 1
                try await bench.meet(
                    Sample.refusal(status, type: "not_found_error", message: "no such model"), attempt)
            }
        }
        return calls
    }

    @Test(arguments: Backend.allCases, [1, 7, 100])
    func `a run of identical refusals costs at most twenty calls and pauses the queue with its message`(
        _ backend: Backend, slots: Int
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue(try Sample.jobs(100))
            #expect(try await burn(bench, slots: slots) == 20)
            let queue = try #require(try await bench.store.queue("default"))
            #expect(queue.paused)
            #expect(queue.pauseReason?.contains("20") == true)
            #expect(queue.pauseReason?.contains("no such model") == true)
            #expect(queue.counts.failed == 20)
            #expect(queue.counts.queued == 80)
        }
    }

    @Test(arguments: Backend.allCases)
    func `who resumes the queue has twenty more tries`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue(try Sample.jobs(100))
            _ = try await burn(bench, slots: 10)
            #expect(try await bench.job(ids[99]).waitingFor?.detail.contains("identical refusals") == true)
            let resumed = try await bench.store.update(
                queue: "default", QueuePatch(paused: false), now: bench.now)
            #expect(!resumed.paused && resumed.pauseReason == nil)
            #expect(try await burn(bench, slots: 10) == 20)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a success in between starts the count afresh`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue(try Sample.jobs(60))
            for turn in 1...50 {
                let attempt = try await bench.claimOne()
                bench.clock.advance(100)
                if turn.isMultiple(of: 15) {
                    try await bench.succeed(attempt)
                } else {
                    try await bench.meet(Sample.refusal(400), attempt)
                }
            }
            #expect(try await bench.store.queue("default")?.paused == false)
        }
    }

    @Test(arguments: Backend.allCases)
    func `refusals of different kinds are no run`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue(try Sample.jobs(60))
            for turn in 1...40 {
                let attempt = try await bench.claimOne()
                bench.clock.advance(100)
                try await bench.meet(Sample.refusal(turn.isMultiple(of: 2) ? 400 : 413), attempt)
            }
            #expect(try await bench.store.queue("default")?.paused == false)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a refused job does not hold its queue while another queue keeps the route busy`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(100, queue: "busy", prefix: "busy"))
            let busy = try await bench.claim(60)
            #expect(busy.count == 60)
            _ = try await bench.store.update(queue: "busy", QueuePatch(paused: true), now: bench.now)
            try await bench.enqueue(try Sample.jobs(30))
            try await bench.meet(Sample.refusal(400), try await bench.claimOne())
            #expect(try await bench.claim(60).count == 19)
        }
    }
}
