import HTTPServer
import JSON
import Simulator
import Testing

@Suite struct BatchResultTests {
    @Test func `A row gets the words that its call would get, at the batch tier`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let id = await simulator.newBatch([
            "The product is great!", "Hi [[sim:output=9999]]", "[[sim:say=yes]]",
        ])
        time.advance(60_000)
        let lines = await simulator.lines(id)
        #expect(lines.values.map(\.type) == ["succeeded", "succeeded", "succeeded"])
        #expect(lines["r-0"]?.text == (await simulator.ask("The product is great!").content))
        #expect(lines["r-1"]?.message?["stop_reason"]?.string == "max_tokens")
        #expect(lines["r-2"]?.text == "yes")
        let usage = lines["r-0"]?.message?["usage"]
        #expect(usage?["service_tier"]?.string == "batch")
        #expect((usage?["input_tokens"]?.int ?? 0) > 0 && (usage?["output_tokens"]?.int ?? 0) > 0)
    }

    @Test func `Results come in an order of their own, the same each time`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let id = await simulator.newBatch((0..<40).map { "\($0)" })
        time.advance(60_000)
        let seen = await simulator.results(id)
        let order = seen.batchLines.map(\.id)
        #expect(order.count == 40 && Set(order).count == 40)
        #expect(order != (0..<40).map { "r-\($0)" })
        #expect(seen.bytes.last == UInt8(ascii: "\n") && !seen.text.contains("\n\n"))
        #expect(await simulator.results(id).bytes == seen.bytes)
    }

    @Test(arguments: [
        (#","stream":true"#, "stream"), (#","speed":"fast""#, "speed"), (#","temperature":7"#, "temperature"),
        (#","nonsense":1"#, "nonsense"),
    ])
    func `Bad params show in the result, with an error in an error`(extra: String, field: String) async throws
    {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let created = await simulator.createBatch(["Hi"], extra: extra)
        #expect(created.status == 200)
        let id = created.json?["id"]?.string ?? ""
        time.advance(60_000)
        #expect(await simulator.batch(id).counts["errored"] == 1)
        let line = await simulator.lines(id)["r-0"]
        #expect(line?.type == "errored" && line?.message == nil)
        #expect(line?.error?["type"]?.string == "error")
        #expect(line?.error?["request_id"]?.isNull == true)
        #expect(line?.errorType == "invalid_request_error")
        #expect(line?.error?["error"]?["message"]?.string?.hasPrefix(field) == true)
    }

    @Test func `max_tokens of 0 and an unknown model are errors of their rows`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let created = await simulator.createBatch(rows: [
            ("zero", messageBody("a", maxTokens: 0)), ("model", messageBody("a", model: "gpt-4")),
            ("empty", Array("{}".utf8)), ("good", messageBody("a")),
        ])
        time.advance(60_000)
        let lines = await simulator.lines(created.json?["id"]?.string ?? "")
        #expect(lines["zero"]?.errorType == "invalid_request_error")
        #expect(lines["model"]?.errorType == "not_found_error")
        #expect(lines["empty"]?.errorType == "invalid_request_error")
        #expect(lines["good"]?.type == "succeeded")
    }

    @Test func `Sampling parameters are judged by the version that made the batch`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let body = batchBody([("a", messageBody("Hi", extra: #","temperature":0.5"#))])
        var types: [String?] = []
        for version in ["2023-06-01", "2026-10-21"] {
            let created = await simulator.send(
                body, path: batchPath, headers: ["x-api-key": "k", "anthropic-version": version])
            time.advance(60_000)
            types.append(await simulator.lines(created.json?["id"]?.string ?? "")["a"]?.type)
        }
        #expect(types == ["succeeded", "errored"])
    }

    @Test func `A row asks for its own error, refusal and time`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let id = await simulator.newBatch([
            "[[sim:status=529]]", "[[sim:refusal]]", "[[sim:latency=5m]]", "[[sim:typo]]", "[[sim:truncate]]",
        ])
        time.advance(299_999)
        #expect(await simulator.status(of: id) == "in_progress")
        time.advance(1)
        let lines = await simulator.lines(id)
        #expect(lines["r-0"]?.errorType == "overloaded_error")
        #expect(lines["r-1"]?.message?["stop_reason"]?.string == "refusal")
        #expect(lines["r-2"]?.type == "succeeded")
        #expect(lines["r-3"]?.errorType == "invalid_request_error")
        #expect(lines["r-4"]?.type == "succeeded")
    }
}
