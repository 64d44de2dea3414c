import Jobs
import Testing
import TestSupport

@Suite struct PreviewTests {
    @Test(arguments: Backend.allCases)
    func `a preview says what enqueueing would do and changes nothing`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([try Sample.job("answered") { $0.customID = "k" }])
            try await harness.succeed(try await harness.claimOne())
            let previews = try await harness.store.preview(
                [
                    try Sample.job("answered") { $0.customID = "k" },
                    try Sample.job("changed") { $0.customID = "k" },
                    try Sample.job("answered"),
                    try Sample.job("answered") { $0.cache = .refresh },
                    try Sample.job("answered", route: Sample.otherRoute),
                    try Sample.job("unheard of", queue: "unheard of"),
                ])
            #expect(
                previews.prefix(3) == [.existing(ids[0]), .conflict(ids[0]), .cached(saves: Sample.cost)])
            #expect(previews.dropFirst(3).map(\.isNew) == [true, true, true])
            #expect(try await harness.store.stats().counts.total == 1)
            #expect(try await harness.store.queue("unheard of") == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an expired answer is not promised`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend, cacheTTL: 1_000) { harness in
            try await harness.enqueue("one")
            try await harness.succeed(try await harness.claimOne())
            harness.clock.advance(1_000)
            #expect(try await harness.store.preview([try Sample.job("one")])[0].isNew)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a call's use is told from its own size and what its route's answers taught`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let long = try Sample.job(String(repeating: "a", count: 4_000))
            let strange = CallEstimate(requestBytes: long.request.count, maxTokens: long.maxTokens)
            #expect(try await harness.store.preview([long]) == [.new(strange)])
            #expect(strange.outputTokens == Int64(long.maxTokens))
            try await harness.warmUp()
            guard case .new(let told) = try await harness.store.preview([long])[0] else {
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
