import HTTPClient
import HTTPServer
import JSON
import Jobs
import Simulator
import Testing

@testable import Models

/// Chat completions over a real connection, to the simulator; what providers do wrong is the table of FaultTests.
@Suite(.timeLimit(.minutes(1))) struct OpenAICallerTests {
    @Test(arguments: [false, true])
    func `A call is answered, and says what it used and what the limits are`(streams: Bool) async throws {
        try await withCaller(options: ["rpm": "600", "itpm": "90000", "otpm": "10000"]) { simulator, call in
            let outcome = await call(messages("Say nothing."), streams)
            let answer = try #require(outcome.result.answer)
            #expect(answer.model == haiku && answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0)
            #expect(outcome.requestID?.hasPrefix("req_") == true)
            #expect(outcome.limits?.requests?.limit == 600)
            #expect(outcome.limits?.inputTokens?.limit == 100_000)
            let entry = try #require(simulator.entries().first)
            #expect(entry.endpoint == "chat/completions" && entry.isStream == streams && entry.isBilled)
            #expect(Int64(entry.usage.output) == answer.usage.outputTokens)
        }
    }

    @Test func `Both dialects give the same words for the same question, plainly and as a stream`()
        async throws
    {
        try await withCaller { _, call in
            let plain = try #require(await call(messages("[[sim:say=Sixty-four é😀]]"), false).result.message)
            let stream = try #require(await call(messages("[[sim:say=Sixty-four é😀]]"), true).result.message)
            for message in [plain, stream] {
                #expect(message["content"]?[0]?["text"]?.string == "Sixty-four é😀")
                #expect(message["stop_reason"]?.string == "end_turn")
            }
        }
    }

    @Test(arguments: [false, true])
    func `A tool is called, and its result is taken`(streams: Bool) async throws {
        let tools =
            #","tools":[{"name":"f","input_schema":{"type":"object","properties":{"reason":{"type":"string"}}}}]"#
        try await withCaller { _, call in
            let forced = messages("Go", extra: tools + #","tool_choice":{"type":"tool","name":"f"}"#)
            let message = try #require(await call(forced, streams).result.message)
            #expect(message["stop_reason"]?.string == "tool_use")
            let block = try #require(message["content"]?[0])
            #expect(block["type"]?.string == "tool_use" && block["input"]?["reason"]?.string != nil)
            let content = String(decoding: message["content"]?.raw ?? [], as: UTF8.self)
            let reply =
                #"{"role":"user","content":"Go"},{"role":"assistant","content":\#(content)},"#
                + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"\#(block["id"]?.string ?? "")","content":"done"}]}"#
            let next = await call(request("[\(reply)]", extra: tools), streams)
            #expect(next.result.answer?.stopReason == "end_turn")
        }
    }

    @Test func `An answer keeps to the schema that was asked for`() async throws {
        let schema =
            #"{"type":"object","additionalProperties":false,"required":["label"],"properties":{"label":{"enum":["a","b"]}}}"#
        try await withCaller { _, call in
            let asked = messages(
                "Which?", extra: #","output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#)
            let message = try #require(await call(asked, false).result.message)
            let words = try JSON.parse(message["content"]?[0]?["text"]?.string ?? "")
            #expect(["a", "b"].contains(words["label"]?.string))
        }
    }

    @Test(arguments: [("max-tokens", "max_tokens"), ("refusal", "refusal"), ("pause-turn", "max_tokens")])
    func `What is odd but whole is an answer`(fault: String, stopReason: String) async throws {
        try await withCaller { _, call in
            for streams in [false, true] {
                let outcome = await call(messages("Tell me more. [[sim:\(fault)]]"), streams)
                #expect(outcome.result.answer?.stopReason == stopReason)
            }
        }
    }

    @Test func `What the dialect cannot say is not sent, and says why`() async throws {
        try await withCaller { simulator, call in
            let outcome = await call(messages("Hi", extra: #","top_k":5"#), false)
            #expect(outcome.result.summary == "broken unsendable")
            #expect(outcome.result.breakage?.message.contains("top_k") == true)
            #expect(simulator.stats.calls == 0)
        }
    }

    private let haiku = "claude-haiku-4-5-20251001"

    private func messages(_ prompt: String, extra: String = "") -> String {
        request(#"[{"role":"user","content":"\#(prompt)"}]"#, extra: extra)
    }

    private func request(_ messages: String, extra: String = "") -> String {
        #"{"model":"by-another-name","max_tokens":256,"messages":\#(messages)\#(extra)}"#
    }

    private func withCaller(
        options: [String: String] = [:],
        _ body: (Simulator, @escaping @Sendable (String, Bool) async -> Outcome) async throws -> Void
    ) async throws {
        let simulator = CallerTests.simulator(try SimulatorSettings(options: options))
        let server = HTTPServer(configuration: .init(), handler: simulator)
        try server.start()
        let client = HTTPClient()
        let key = ServiceKey(provider: "relay", endpoint: "http://h", credential: "K", simulated: false)
        let caller = OpenAICaller(
            services: [
                OpenAIService(
                    key: key, baseURL: "http://127.0.0.1:\(server.port)/v1", apiKey: Secret("sk-test"))
            ],
            client: client,
            settings: CallSettings(timeouts: .init(connect: 2, write: 5, idle: 0.5, call: 30)),
            clock: FixedClock())
        let model = haiku
        try await body(simulator) { request, streams in
            var attempt = CallPlanTests.attempt(request, maxTokens: streams ? 5000 : 256, service: key)
            attempt.route.model = model
            return await caller.call(attempt)
        }
        client.shutdown()
        await server.stop()
    }
}
