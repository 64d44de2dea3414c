import HTTPServer
import JSON
import Simulator
import Testing

@Suite struct FaultTests {
    @Test(arguments: [
        ("status=529", 529, "overloaded_error"), ("status=500", 500, "api_error"),
        ("status=401", 401, "authentication_error"),
        ("status=413", 413, "request_too_large"), ("spend-cap", 429, "rate_limit_error"),
        ("user-spend-cap", 400, "invalid_request_error"), ("ramp", 429, "rate_limit_error"),
    ])
    func `A prompt asks for its own error`(marker: String, status: Int, type: String) async throws {
        let simulator = try makeSimulator()
        let seen = await simulator.ask("Hi [[sim:\(marker)]]")
        #expect(seen.status == status)
        #expect(seen.errorType == type)
        #expect(seen.json?["request_id"]?.string == "req_test")
        #expect(simulator.stats.billedCalls == 0)
    }

    @Test func `retry-after is as asked, and absent from a spend cap`() async throws {
        let simulator = try makeSimulator()
        #expect(await simulator.ask("[[sim:status=429;retry-after=5]]").headers["retry-after"] == "5")
        #expect(await simulator.ask("[[sim:status=429]]").headers["retry-after"] == "1")
        #expect(await simulator.ask("[[sim:status=429;retry-after=none]]").headers["retry-after"] == nil)
        let capped = await simulator.ask("[[sim:spend-cap]]")
        #expect(capped.headers["retry-after"] == nil)
        #expect(capped.json?["error"]?["details"]?["error_code"]?.string == "enforced_spend_limit_reached")
        #expect(
            await simulator.ask("[[sim:status=409;should-retry=false]]").headers["x-should-retry"] == "false")
    }

    @Test func `A marker with a number of times lets later calls through`() async throws {
        let simulator = try makeSimulator()
        for status in [503, 503, 200, 200] {
            #expect(await simulator.ask("Hi [[sim:status=503;times=2]]").status == status)
        }
        let body = messageBody("Hi [[sim:status=503;times=2]]")
        #expect(simulator.prompts[Digest(of: body)]?.calls == 4)
        #expect(simulator.prompts[Digest(of: body)]?.billed == 2)
    }

    @Test func `Latency is as the prompt asks, or as the model of latency has it`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["latency": "100ms", "output-rate": "100"], time)
        _ = await simulator.ask("[[sim:latency=3000;output=10]]")
        #expect(time.waits == [3100])
        for n in 0..<200 { _ = await simulator.ask("[[sim:say=a]] \(n)") }
        let sorted = time.waits.dropFirst().sorted()
        #expect((90...160).contains(sorted[100]))
        #expect(sorted[10] < sorted[190])
    }

    @Test(arguments: [
        ("reset", true, false, 0), ("drop-after", true, true, 0), ("truncate", true, true, 0),
        ("malformed", false, true, 0), ("empty", false, true, 0), ("stall", true, false, 3_600_000),
        ("stall-body", true, true, 3_600_000), ("html502", false, false, 0),
    ])
    func `A broken answer is billed where the model did its work`(
        fault: String, isBroken: Bool, isBilled: Bool, wait: Int64
    ) async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let seen = await simulator.ask("[[sim:\(fault)]]")
        #expect(seen.isBroken == isBroken)
        #expect(seen.json?["content"] == nil)
        #expect(simulator.stats.billedCalls == (isBilled ? 1 : 0))
        #expect(simulator.stats.byFault == [fault: 1])
        #expect(time.waits == (wait == 0 ? [] : [wait]))
    }

    @Test(arguments: [
        ("early-end", "message_stop", false), ("truncate", "message_stop", true),
        ("error-event", "message_stop", false),
    ])
    func `A stream that fails has no end`(fault: String, missing: String, isBroken: Bool) async throws {
        let seen = await (try makeSimulator()).ask(
            "Tell me more [[sim:\(fault)]]", extra: #","stream":true"#)
        #expect(seen.isBroken == isBroken)
        #expect(!seen.text.contains(missing))
        #expect(seen.text.contains("event: error") == (fault == "error-event"))
    }

    @Test func `Faults strike by chance, as often as said`() async throws {
        let simulator = try makeSimulator(["faults": "500:0.1,529:0.2", "seed": "7"])
        for n in 0..<2000 { _ = await simulator.ask("Hi \(n)") }
        #expect((150...250).contains(simulator.stats.byStatus[500] ?? 0))
        #expect((330...470).contains(simulator.stats.byStatus[529] ?? 0))
    }

    @Test func `Faults strike by number`() async throws {
        let simulator = try makeSimulator(["faults": "500:#2-3,529:%4"])
        var statuses: [Int] = []
        for n in 0..<8 { statuses.append(await simulator.ask("Hi \(n)").status) }
        #expect(statuses == [200, 500, 500, 529, 200, 200, 200, 529])
    }

    @Test func `An outage lasts as long as said, and starts anew when it is set anew`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["outage": "10s+30s:529"], time)
        #expect(await simulator.ask("Hi").status == 200)
        time.advance(10_000)
        #expect(await simulator.ask("Hi").status == 529)
        time.advance(30_000)
        #expect(await simulator.ask("Hi").status == 200)
        try simulator.update(["outage": "0+5s:503"])
        #expect(await simulator.ask("Hi").status == 503)
    }

    @Test(arguments: [
        ["faults": "700:0.1"], ["faults": "500:2"], ["outage": "10:529"], ["rpm": "-1"], ["latency": "fast"],
        ["nothing": "1"], ["output-policy": "half"],
    ])
    func `A wrong setting is refused with its name`(options: [String: String]) {
        let error = #expect(throws: SettingError.self) { try SimulatorSettings(options: options) }
        #expect(error?.message.contains(options.keys.first ?? "-") == true)
    }
}
