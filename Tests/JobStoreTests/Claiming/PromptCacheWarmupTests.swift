import JSON
import Jobs
import Testing
import TestSupport

/// Jobs that share what the provider caches: one writes it, the others follow.
@Suite struct PromptCacheWarmupTests {
    private static let prefix = CachePrefix(hash: Array(repeating: 7, count: 32), lifetime: 300_000)

    private func jobs(_ count: Int) throws -> [NewJob] {
        try (0..<count).map { number in try Sample.job("shares \(number)") { $0.prefix = Self.prefix } }
    }

    @Test(arguments: Backend.allCases)
    func `one goes first, and its answer lets the others follow`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try jobs(4))
            let first = try await harness.claim(5)
            #expect(first.map(\.key.job) == [ids[0]])
            let waiting = try #require(try await harness.job(ids[1]).waitingFor)
            #expect(waiting.reason == .identicalPrompt && waiting.detail.contains("prompt cache"))
            try await harness.succeed(first[0], "0")
            let rest = try await harness.claim(5)
            #expect(rest.count == 3)
            for attempt in rest { try await harness.succeed(attempt, "\(attempt.key)") }
            // As long as the provider keeps it, nobody waits.
            harness.clock.advance(200_000)
            try await harness.enqueue(
                try (10..<13).map { n in try Sample.job("later \(n)") { $0.prefix = Self.prefix } })
            #expect(try await harness.claim(5).count == 3)
        }
    }

    @Test(arguments: Backend.allCases)
    func `when its life is over one goes first again`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try jobs(1))
            try await harness.succeed(try await harness.claimOne())
            harness.clock.advance(300_000)
            try await harness.enqueue(
                try (10..<13).map { n in try Sample.job("later \(n)") { $0.prefix = Self.prefix } })
            #expect(try await harness.claim(5).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `where the first comes to nothing the next goes first`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try jobs(3))
            let first = try await harness.claim(5)
            #expect(try await harness.claim(5).isEmpty)
            try await harness.settle(
                first[0].key,
                .failed(JobError(type: "invalid_request_error", message: "no", retryable: false)),
                .neutral)
            let second = try await harness.claim(5)
            #expect(second.map(\.key.job) == [ids[1]])
            // And where its worker dies.
            harness.clock.advance(31_000)
            _ = try await harness.store.reap()
            #expect(try await harness.claim(5).count == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `other jobs wait for nobody`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try jobs(3) + [Sample.job("plain"), Sample.job("plain too")])
            #expect(try await harness.claim(5).count == 3)
        }
    }
}

/// Which part of a request it is.
@Suite struct CachePrefixTests {
    private func prefix(_ text: String) throws -> CachePrefix? {
        CachePrefix(request: try JSON.parse(Array(text.utf8)))
    }

    private static let long = String(repeating: "All of this is context. ", count: 100)

    private func request(_ question: String, system: String = long, ttl: String = "5m") -> String {
        #"{"model":"m","system":[{"type":"text","text":"\#(system)","cache_control":{"type":"ephemeral","ttl":"\#(ttl)"}}],"#
            + #""messages":[{"role":"user","content":"\#(question)"}]}"#
    }

    @Test func `questions share it, systems and models do not`() throws {
        let one = try #require(try prefix(request("one")))
        #expect(try prefix(request("two")) == one)
        #expect(try prefix(request("one", system: Self.long + "more"))?.hash != one.hash)
        #expect(
            try prefix(request("one").replacing(#""model":"m""#, with: #""model":"n""#))?.hash != one.hash)
        #expect(one.lifetime == 300_000)
        #expect(try prefix(request("one", ttl: "1h"))?.lifetime == 3_600_000)
    }

    @Test func `what is not marked, or too short, has none`() throws {
        #expect(try prefix(request("one", system: "Short.")) == nil)
        #expect(try prefix(#"{"model":"m","system":"\#(Self.long)","messages":[]}"#) == nil)
    }

    @Test func `marked tools count by themselves`() throws {
        let tool = #"{"name":"t","description":"\#(Self.long)","cache_control":{"type":"ephemeral"}}"#
        let one = try prefix(#"{"model":"m","tools":[\#(tool)],"system":"a","messages":[]}"#)
        #expect(one != nil)
        #expect(try prefix(#"{"model":"m","tools":[\#(tool)],"system":"b","messages":[]}"#) == one)
    }
}
