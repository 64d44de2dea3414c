import Jobs
import Testing

@Suite struct FairnessTests {
    @Test(arguments: Backend.allCases, [1, 8])
    func `two queues share by their weights, also where slots come one by one`(
        _ backend: Backend, slots: Int
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(400, queue: "heavy", prefix: "h"))
            try await bench.enqueue(try Sample.jobs(400, queue: "light", prefix: "l"))
            _ = try await bench.store.update(queue: "heavy", QueuePatch(weight: 300), now: bench.now)
            _ = try await bench.store.update(queue: "light", QueuePatch(weight: 100), now: bench.now)
            var counts: [String: Int] = [:]
            for _ in 0..<(240 / slots) {
                for attempt in try await bench.claim(slots) { counts[attempt.queue, default: 0] += 1 }
            }
            // 60 are expected; five standard deviations of fair draws are 34.
            let light = counts["light", default: 0]
            #expect(light > 26 && light < 94)
            #expect(counts["heavy", default: 0] == 240 - light)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queue with two models has no more than its share`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.warmUp(Sample.otherModel)
            try await bench.enqueue(try Sample.jobs(200, queue: "one", prefix: "a"))
            try await bench.enqueue(try Sample.jobs(200, queue: "two", prefix: "b"))
            try await bench.enqueue(
                try (0..<200).map {
                    try Sample.job("c \($0)", queue: "two", route: Sample.otherModel)
                })
            let attempts = try await bench.claim(200)
            let ones = attempts.count { $0.queue == "one" }
            #expect(ones > 65 && ones < 135)
        }
    }

    @Test(arguments: Backend.allCases)
    func `what one queue cannot use goes to the other`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(3, queue: "small", prefix: "s"))
            try await bench.enqueue(try Sample.jobs(50, queue: "large", prefix: "l"))
            let attempts = try await bench.claim(40)
            #expect(attempts.count == 40)
        }
    }
}
