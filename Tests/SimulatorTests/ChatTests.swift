import HTTPServer
import JSON
import Simulator
import Testing

/// The simulator in OpenAI's words.
@Suite struct ChatTests {
    @Test func `A chat is answered with the words that Messages would give`() async throws {
        let simulator = try makeSimulator()
        let ours = await simulator.ask("Tell me about tides.")
        let seen = await chat(simulator, "Tell me about tides.")
        #expect(seen.status == 200 && seen.json?["object"]?.string == "chat.completion")
        let choice = seen.json?["choices"]?[0]
        #expect(choice?["message"]?["role"]?.string == "assistant")
        #expect(choice?["message"]?["content"]?.string?.isEmpty == false)
        #expect(choice?["finish_reason"]?.string == "stop")
        let prompt = try #require(seen.json?["usage"]?["prompt_tokens"]?.int)
        #expect(prompt == ours.tokens("input_tokens"))
        #expect(seen.headers["x-request-id"] == "req_test")
        #expect(simulator.stats.calls == 2 && simulator.stats.billedCalls == 2)
        #expect(simulator.entries().map(\.endpoint) == ["messages", "chat/completions"])
    }

    @Test(arguments: [true, false])
    func `A stream tells it chunk by chunk, with the counts where they were asked for`(counts: Bool)
        async throws
    {
        let extra = #","stream":true"# + (counts ? #","stream_options":{"include_usage":true}"# : "")
        let seen = await chat(
            try makeSimulator(), "[[sim:say=One two three four five six seven]]", extra: extra)
        let lines = seen.text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { $0.dropFirst(6) }
        #expect(lines.last == "[DONE]")
        let chunks = lines.dropLast().compactMap { try? JSON.parse(String($0)) }
        #expect(chunks.count == lines.count - 1)
        #expect(chunks.first?["choices"]?[0]?["delta"]?["role"]?.string == "assistant")
        let text = chunks.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined()
        #expect(text == "One two three four five six seven")
        let last = try #require(chunks.last)
        #expect((last["usage"]?["completion_tokens"]?.int != nil) == counts)
        #expect((last["choices"]?.count == 0) == counts)
        #expect(chunks.contains { $0["choices"]?[0]?["finish_reason"]?.string == "stop" })
    }

    @Test func `Errors and limits are told in OpenAI's shape`() async throws {
        let simulator = try makeSimulator(["rpm": "1"])
        let first = await chat(simulator, "a")
        #expect(first.headers["x-ratelimit-limit-requests"] == "1")
        #expect(first.headers["x-ratelimit-remaining-requests"] == "0")
        #expect(first.headers["x-ratelimit-reset-requests"] == "1m0s")
        #expect(first.headers["anthropic-ratelimit-requests-limit"] == nil)
        let second = await chat(simulator, "b")
        #expect(second.status == 429 && second.errorType == "rate_limit_error")
        #expect(second.headers["retry-after"] == "60" && second.json?["error"]?["param"]?.isNull == true)
        let capped = await chat(try makeSimulator(), "[[sim:spend-cap]]")
        #expect(capped.json?["error"]?["code"]?.string == "insufficient_quota")
    }

    @Test(arguments: [
        (#","x":1"#, "x"), (#","n":2"#, "n: "), (#","max_completion_tokens":5"#, "cannot both"),
        (#","temperature":"hot""#, ""),
    ])
    func `What OpenAI refuses is refused, and a temperature that is none ignored`(
        extra: String, words: String
    )
        async throws
    {
        let seen = await chat(try makeSimulator(), "Hi", extra: extra)
        #expect(seen.status == (words.isEmpty ? 200 : 400))
        #expect(words.isEmpty || seen.errorMessage.contains(words))
    }

    @Test func `A result without its call is refused`() async throws {
        let messages = #"[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"t","content":"b"}]"#
        let body = #"{"model":"claude-haiku-4-5","max_tokens":5,"messages":\#(messages)}"#
        let seen = await (try makeSimulator()).send(
            Array(body.utf8), path: "v1/chat/completions", headers: ["authorization": "Bearer k"])
        #expect(seen.status == 400 && seen.errorMessage.contains("tool_calls"))
    }

    @Test func `Models are listed for both kinds of library`() async throws {
        let simulator = try makeSimulator()
        let seen = await simulator.send(
            method: "GET", path: "v1/models", headers: ["authorization": "Bearer k"])
        #expect(seen.status == 200 && seen.json?["object"]?.string == "list")
        let model = try #require(seen.json?["data"]?.elements?.first { $0["id"]?.string == haiku })
        #expect(model["object"]?.string == "model" && model["type"]?.string == "model")
        // 2025-10-15
        #expect(model["created"]?.int == 1_760_486_400)
        #expect(await simulator.send(method: "GET", path: "v1/models", headers: [:]).status == 401)
    }

    private func chat(_ simulator: Simulator, _ prompt: String, extra: String = "") async -> Seen {
        let body =
            #"{"model":"\#(haiku)","max_tokens":256,"messages":[{"role":"user","content":"\#(prompt)"}]\#(extra)}"#
        return await simulator.send(
            Array(body.utf8), path: "v1/chat/completions", headers: ["authorization": "Bearer k"])
    }
}
