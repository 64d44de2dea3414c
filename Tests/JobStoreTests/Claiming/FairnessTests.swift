import Jobs
import Testing
import TestSupport

@Suite struct FairnessTests {
    @Test(arguments: Backend.allCases, [1, 8])
    func `two queues share by their weights, also where slots come one by one`(
        _ backend: Backend, slots: Int
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(400, queue: "heavy", prefix: "h"))
            try await harness.enqueue(try Sample.jobs(400, queue: "light", prefix: "l"))
            _ = try await harness.store.update(queue: "heavy", QueuePatch(weight: 300))
            _ = try await harness.store.update(queue: "light", QueuePatch(weight: 100))
            var counts: [String: Int] = [:]
            for _ in 0..<(240 / slots) {
                for attempt in try await harness.claim(slots) { counts[attempt.queue, default: 0] += 1 }
            }
            let light = counts["light", default: 0]
            #expect(light >= 58 && light <= 62)
            #expect(counts["heavy", default: 0] == 240 - light)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queue with two models has no more than its share`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.warmUp(Sample.otherModel)
            try await harness.enqueue(try Sample.jobs(200, queue: "one", prefix: "a"))
            try await harness.enqueue(try Sample.jobs(200, queue: "two", prefix: "b"))
            try await harness.enqueue(
                try (0..<200).map {
                    try Sample.job("c \($0)", queue: "two", route: Sample.otherModel)
                })
            let attempts = try await harness.claim(200)
            let ones = attempts.count { $0.queue == "one" }
            #expect(ones > 65 && ones < 135)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what one queue cannot use goes to the other`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(3, queue: "small", prefix: "s"))
            try await harness.enqueue(try Sample.jobs(50, queue: "large", prefix: "l"))
            let attempts = try await harness.claim(40)
            #expect(attempts.count == 40)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a small queue beside a large one is done in the time that its share allows`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(2_000, queue: "large", prefix: "l"))
            for _ in 0..<100 { _ = try await harness.claim(5) }
            // The large one had all for a long time; that is neither held against it nor for it.
            try await harness.enqueue(try Sample.jobs(100, queue: "small", prefix: "s"))
            var claims: [String] = []
            for _ in 0..<70 { claims += try await harness.claim(3).map(\.queue) }
            let last = try #require(claims.lastIndex(of: "small"))
            #expect(claims.count { $0 == "small" } == 100)
            #expect(last <= 201)
            #expect(claims.prefix(50).count { $0 == "large" } >= 24)
        }
    }

    @Test(arguments: Backend.allCases)
    func `age overtakes priority`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let old = try await harness.enqueue("old")[0]
            harness.clock.advance(4 * 60_000)
            let urgent = try await harness.enqueue([try Sample.job("urgent") { $0.priority = 5 }])[0]
            let hardly = try await harness.enqueue([try Sample.job("hardly") { $0.priority = 3 }])[0]
            let order = [
                try await harness.claimOne(), try await harness.claimOne(), try await harness.claimOne(),
            ]
            #expect(order.map(\.key.job) == [urgent, old, hardly])
        }
    }
}
