import HTTPServer
import JSON
import Simulator
import Testing

@Suite struct LimitTests {
    @Test func `Requests per minute are a bucket that starts full and refills continuously`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["rpm": "60"], time)
        for n in 0..<60 { #expect(await simulator.ask("Hi \(n)").status == 200) }
        let refused = await simulator.ask("Hi")
        #expect(refused.status == 429)
        #expect(refused.errorType == "rate_limit_error")
        #expect(refused.headers["retry-after"] == "1")
        time.advance(999)
        #expect(await simulator.ask("Hi").status == 429)
        time.advance(1)
        #expect(await simulator.ask("Hi").status == 200)
        #expect(simulator.stats.byFault["rate-limit"] == 2)
        #expect(simulator.stats.billedCalls == 61)
    }

    @Test func `Every answer tells what is left`() async throws {
        let simulator = try makeSimulator(["rpm": "1000", "itpm": "50000", "otpm": "10000"])
        let headers = await simulator.ask("Hi").headers
        #expect(headers["anthropic-ratelimit-requests-limit"] == "1000")
        #expect(headers["anthropic-ratelimit-requests-remaining"] == "999")
        #expect(headers["anthropic-ratelimit-input-tokens-limit"] == "50000")
        #expect(headers["anthropic-ratelimit-input-tokens-remaining"] == "50000")
        #expect(headers["anthropic-ratelimit-output-tokens-remaining"] == "10000")
        #expect(headers["anthropic-ratelimit-tokens-limit"] == "60000")
        #expect(headers["anthropic-ratelimit-requests-reset"] == "2026-09-21T14:13:21Z")
        #expect(headers["anthropic-organization-id"] != nil)
        let refused = await simulator.ask("[[sim:status=529]]")
        #expect(refused.headers["anthropic-ratelimit-requests-remaining"] == "998")
    }

    @Test func `Input tokens are taken at admission and given back when the call fails`() async throws {
        let simulator = try makeSimulator(["itpm": "100"])
        let long = String(repeating: "word ", count: 50)
        #expect(await simulator.ask("[[sim:status=500]] " + long).status == 500)
        #expect(await simulator.ask(long).status == 200)
        let refused = await simulator.ask(long)
        #expect(refused.status == 429)
        #expect(refused.errorMessage.contains("100 input tokens per minute"))
        #expect((Int(refused.headers["retry-after"] ?? "") ?? 0) >= 20)
    }

    @Test func `Output tokens count as generated, or as max_tokens where they are reserved`() async throws {
        let generated = try makeSimulator(["otpm": "600"])
        for n in 0..<3 { #expect(await generated.ask("[[sim:say=a]] \(n)", maxTokens: 500).status == 200) }
        let reserved = try makeSimulator(["otpm": "600", "output-policy": "reserved"])
        #expect(await reserved.ask("[[sim:say=a]]", maxTokens: 500).status == 200)
        #expect(await reserved.ask("[[sim:say=a]]", maxTokens: 601).status == 429)
    }

    @Test func `A burst window enforces the minute by the second`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["rpm": "120", "burst-window": "1s"], time)
        for status in [200, 200, 429] { #expect(await simulator.ask("Hi").status == status) }
        time.advance(1000)
        #expect(await simulator.ask("Hi").status == 200)
    }

    @Test func `Classes of models have buckets of their own`() async throws {
        let simulator = try makeSimulator(["rpm": "1"])
        #expect(await simulator.ask("Hi").status == 200)
        #expect(await simulator.ask("Hi").status == 429)
        #expect(await simulator.ask("Hi", model: "claude-haiku-5-5").status == 200)
    }

    @Test func `A cached prefix is written once, then read, and expires`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let text = String(repeating: "lorem ipsum ", count: 2000)
        let body =
            #"{"model":"\#(haiku)","max_tokens":9,"system":[{"type":"text","text":"\#(text)","#
            + #""cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Hi"}]}"#
        let first = await simulator.send(Array(body.utf8))
        let written = first.tokens("cache_creation_input_tokens") ?? 0
        #expect(written >= 6000)
        #expect((first.tokens("input_tokens") ?? 99) < 20)
        let second = await simulator.send(Array(body.utf8))
        #expect(second.tokens("cache_read_input_tokens") == written)
        #expect(second.tokens("cache_creation_input_tokens") == 0)
        time.advance(300_000)
        #expect(await simulator.send(Array(body.utf8)).tokens("cache_read_input_tokens") == 0)
    }
}
