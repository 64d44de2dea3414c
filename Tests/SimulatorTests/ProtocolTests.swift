import HTTPServer
import JSON
import Simulator
import Testing

@Suite struct ProtocolTests {
    @Test(arguments: [
        ([:], 401, "authentication_error"),
        (["x-api-key": "k"], 400, "invalid_request_error"),
        (["x-api-key": "k", "anthropic-version": "2024-01-01"], 400, "invalid_request_error"),
        (["authorization": "Bearer wrong", "anthropic-version": "2023-06-01"], 401, "authentication_error"),
        (["authorization": "Bearer k", "anthropic-version": "2026-10-21"], 200, nil),
        (["x-api-key": "k", "anthropic-version": "2023-06-01"], 200, nil),
    ])
    func `A key and a version are required`(headers: [String: String], status: Int, type: String?)
        async throws
    {
        let simulator = try makeSimulator(["keys": "k"])
        let seen = await simulator.send(
            messageBody("Hi"), headers: Headers(headers.map { (name: $0.key, value: $0.value) }))
        #expect(seen.status == status)
        #expect(seen.errorType == type)
        if status != 200 { #expect(seen.json?["request_id"]?.string == "req_test") }
    }

    @Test(arguments: [
        ("not json", "JSON"), ("[]", "object"), ("{}", "model: Field required"),
        (
            #"{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"a"}]}"#,
            "max_tokens: Field required"
        ),
        (#"{"model":"claude-haiku-4-5","max_tokens":1.5,"messages":[]}"#, "max_tokens"),
        (#"{"model":"claude-haiku-4-5","max_tokens":70000,"messages":[]}"#, "max_tokens: 70000 > 64000"),
        (#"{"model":"claude-haiku-4-5","max_tokens":1}"#, "messages: Field required"),
        (#"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[]}"#, "at least one message"),
        (
            #"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"bot","content":"a"}]}"#,
            "messages.0.role"
        ),
        (
            #"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":""}]}"#,
            "non-empty"
        ),
        (
            #"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            "messages.0.content.0.text"
        ),
        (
            #"{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"a"}],"x":1}"#,
            "x: Extra"
        ),
    ])
    func `An invalid request is refused with the field's name`(body: String, words: String) async throws {
        let simulator = try makeSimulator()
        let seen = await simulator.send(Array(body.utf8))
        #expect(seen.status == 400)
        #expect(seen.errorMessage.contains(words), "\(seen.text)")
        #expect(simulator.stats.byStatus == [400: 1])
        #expect(simulator.stats.costNanodollars == 0)
    }

    @Test(arguments: [(haiku, 0.5, 400), (haiku, 1, 400), ("claude-haiku-5-5", 1, 400)])
    func `Models from 4.5 on take one of temperature and top_p`(model: String, topP: Double, status: Int)
        async throws
    {
        let extra = #","temperature":1,"top_p":\#(topP)"#
        let seen = await (try makeSimulator()).send(messageBody("Hi", model: model, extra: extra))
        #expect(seen.status == status && seen.errorMessage.contains("cannot both be specified"))
    }

    @Test(arguments: ["claude-nothing-1", "claude-3-haiku-20240307"])
    func `An unknown or retired model is not found`(model: String) async throws {
        let seen = await (try makeSimulator()).ask("Hi", model: model)
        #expect(seen.status == 404)
        #expect(seen.errorType == "not_found_error")
    }

    @Test(arguments: [
        (haiku, "2023-06-01", "0.5", 200), (haiku, "2026-10-21", "1", 400),
        ("claude-haiku-5-5", "2023-06-01", "0.5", 400), ("claude-haiku-5-5", "2023-06-01", "1", 200),
    ])
    func `Sampling parameters belong to the old version and the old models`(
        model: String, version: String, temperature: String, status: Int
    ) async throws {
        let seen = await (try makeSimulator()).ask(
            "Hi", model: model, extra: #","temperature":\#(temperature)"#, version: version)
        #expect(seen.status == status)
    }

    @Test func `Anything else is not found, in JSON`() async throws {
        let simulator = try makeSimulator()
        let seen = await simulator.send(path: "v1/complete")
        #expect(seen.status == 404)
        #expect(seen.errorType == "not_found_error")
        #expect(await simulator.send(method: "GET").status == 405)
    }

    @Test func `A body over 32 MB is refused in the provider's shape`() throws {
        let simulator = try makeSimulator()
        let head = RequestHead(method: "POST", path: ["v1", "messages"], rawPath: "/v1/messages")
        #expect(simulator.policy(for: head) == .collect(limit: 33_554_432))
        let response = simulator.refuse(.bodyTooLarge(limit: 33_554_432), head: head)
        #expect(response.status == 413)
        guard case .bytes(let bytes) = response.body else { return }
        #expect(String(decoding: bytes, as: UTF8.self).contains("request_too_large"))
    }

    @Test func `Models are listed page by page, newest first, and found by alias`() async throws {
        let simulator = try makeSimulator()
        let first = await simulator.send(method: "GET", path: "v1/models", query: [("limit", "2")])
        #expect(first.json?["data"]?.count == 2)
        #expect(first.json?["has_more"]?.bool == true)
        let last = first.json?["last_id"]?.string ?? ""
        let next = await simulator.send(method: "GET", path: "v1/models", query: [("after_id", last)])
        #expect(next.json?["data"]?.elements?.contains { $0["id"]?.string == last } == false)
        let one = await simulator.send(method: "GET", path: "v1/models/claude-haiku-4-5")
        #expect(one.json?["id"]?.string == haiku)
        #expect(await simulator.send(method: "GET", path: "v1/models/nothing").status == 404)
    }

    @Test func `A stream tells the message event by event`() async throws {
        let simulator = try makeSimulator()
        let plain = await simulator.ask("Tell me about tides.")
        let seen = await simulator.ask("Tell me about tides.", extra: #","stream":true"#)
        #expect(seen.headers["content-type"] == "text/event-stream; charset=utf-8")
        let events = Event.parse(seen.text)
        let names = events.map(\.name).filter { $0 != "content_block_delta" }
        #expect(
            names == [
                "message_start", "content_block_start", "ping", "content_block_stop", "message_delta",
                "message_stop",
            ])
        #expect(events.allSatisfy { $0.data?["type"]?.string == $0.name })
        #expect(events.compactMap { $0.data?["delta"]?["text"]?.string }.joined() != "")
        let start = events.first?.data?["message"]?["usage"]
        #expect(start?["input_tokens"]?.int == plain.tokens("input_tokens"))
        #expect(events.dropLast().last?.data?["usage"]?["output_tokens"]?.int ?? 0 > 1)
        #expect(events.dropLast().last?.data?["delta"]?["stop_reason"]?.string == "end_turn")
    }

    @Test func `A streamed tool's input arrives in pieces`() async throws {
        let seen = await (try makeSimulator()).ask(
            "Go",
            extra: #","stream":true,"tool_choice":{"type":"any"},"tools":[{"name":"f","input_schema":"#
                + #"{"type":"object","properties":{"reason":{"type":"string"}}}}]"#)
        let events = Event.parse(seen.text)
        let input = events.compactMap { $0.data?["delta"]?["partial_json"]?.string }.joined()
        #expect(input.hasPrefix(#"{"reason":"#))
        #expect(events.contains { $0.data?["content_block"]?["type"]?.string == "tool_use" })
    }
}
