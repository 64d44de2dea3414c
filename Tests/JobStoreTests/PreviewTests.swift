import Jobs
import Testing

@Suite struct PreviewTests {
    @Test(arguments: Backend.allCases)
    func `a preview says what enqueueing would do and changes nothing`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([try Sample.job("answered") { $0.key = "k" }])
            try await bench.succeed(try await bench.claimOne())
            let previews = try await bench.store.preview(
                [
                    try Sample.job("answered") { $0.key = "k" },
                    try Sample.job("changed") { $0.key = "k" },
                    try Sample.job("answered"),
                    try Sample.job("answered") { $0.cache = .refresh },
                    try Sample.job("answered", route: Sample.otherRoute),
                    try Sample.job("unheard of", queue: "unheard of"),
                ], now: bench.now)
            #expect(
                previews.prefix(3) == [.existing(ids[0]), .conflict(ids[0]), .cached(saves: Sample.cost)])
            #expect(previews.dropFirst(3).map(\.isNew) == [true, true, true])
            #expect(try await bench.store.stats(now: bench.now).counts.total == 1)
            #expect(try await bench.store.queue("unheard of") == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an expired answer is not promised`(_ backend: Backend) async throws {
        try await Bench.run(backend, cacheTTL: 1_000) { bench in
            try await bench.enqueue("one")
            try await bench.succeed(try await bench.claimOne())
            bench.clock.advance(1_000)
            #expect(try await bench.store.preview([try Sample.job("one")], now: bench.now)[0].isNew)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call's use is told from its own size and what its route's answers taught`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let long = try Sample.job(String(repeating: "a", count: 4_000))
            let strange = CallEstimate(requestBytes: long.request.count, maxTokens: long.maxTokens)
            #expect(try await bench.store.preview([long], now: bench.now) == [.new(strange)])
            #expect(strange.outputTokens == Int64(long.maxTokens))
            try await bench.warmUp()
            guard case .new(let told) = try await bench.store.preview([long], now: bench.now)[0] else {
                throw Missing()
            }
            #expect(told.outputTokens < Int64(long.maxTokens) && told.inputTokens > 500)
        }
    }

    private struct Missing: Error {}
}

extension EnqueuePreview {
    var isNew: Bool {
        if case .new = self { true } else { false }
    }
}
