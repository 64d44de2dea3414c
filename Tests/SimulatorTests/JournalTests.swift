import HTTPServer
import JSON
import Simulator
import Telemetry
import Testing

@Suite struct JournalTests {
    @Test func `Money is exact, and only what was answered costs`() async throws {
        let simulator = try makeSimulator()
        let answer = await simulator.ask(
            "The product is great!", system: "One word: positive, negative or neutral.")
        _ = await simulator.ask("[[sim:status=500]]")
        let input = answer.tokens("input_tokens") ?? 0
        let output = answer.tokens("output_tokens") ?? 0
        #expect(simulator.stats.costNanodollars == Int64(input * 1000 + output * 5000))
        #expect(simulator.entries().map(\.isBilled) == [true, false])
    }

    @Test func `Duplicates are counted`() async throws {
        let simulator = try makeSimulator()
        for prompt in ["a", "b", "a", "a"] { _ = await simulator.ask(prompt) }
        let stats = simulator.stats
        #expect(stats.calls == 4)
        #expect(stats.distinctPrompts == 2)
        #expect(stats.maxCallsPerPrompt == 3)
        #expect(stats.billedDuplicates == 2)
    }

    @Test func `Entries beyond the limit are forgotten, counts are not`() async throws {
        let simulator = try makeSimulator(["journal-limit": "3"])
        for n in 0..<10 { _ = await simulator.ask("Hi \(n) [[sim:id=caller-\(n)]]") }
        #expect(simulator.entries().map(\.sequence) == [8, 9, 10])
        #expect(simulator.entries().map(\.caller) == ["caller-7", "caller-8", "caller-9"])
        #expect(simulator.entries(after: 9).count == 1)
        #expect(simulator.stats.calls == 10)
    }

    @Test func `Concurrent calls are counted, and their arrival can be awaited`() async throws {
        let gate = Gate()
        let clock = SimulatorClock(timestamp: { 1000 }, uptime: { 1000 }) { _ in await gate.wait() }
        let simulator = Simulator(clock: clock, log: .silent)
        await withTaskGroup(of: Void.self) { group in
            for n in 0..<20 { group.addTask { _ = await simulator.ask("[[sim:latency=5]] \(n)") } }
            await simulator.arrivals(reach: 20)
            #expect(simulator.stats.inFlight == 20)
            await gate.open()
        }
        #expect(simulator.stats.inFlight == 0)
        #expect(simulator.stats.maxConcurrent == 20)
        #expect(simulator.stats.series.map(\.calls) == [20])
    }

    @Test func `A caller who hangs up has still spent the money`() async throws {
        let time = FakeTime()
        var clock = time.clock
        clock.sleep = { _ in throw CancellationError() }
        let simulator = Simulator(clock: clock, log: .silent)
        _ = await simulator.ask("[[sim:latency=5000]]")
        #expect(simulator.stats.byFault == ["abandoned": 1])
        #expect(simulator.stats.billedCalls == 1)
        #expect(simulator.stats.inFlight == 0)
    }

    @Test func `It is controlled and read over HTTP`() async throws {
        let simulator = try makeSimulator()
        let changed = await simulator.send(
            Array(#"{"faults":["503","500:0.1"],"rpm":7,"outage":"0+1m:529"}"#.utf8), path: "_sim/faults",
            headers: [:])
        #expect(changed.json?["changed"]?["rpm"]?.string == "7")
        #expect(await simulator.ask("Hi").status == 529)
        let stats = await simulator.send(method: "GET", path: "_sim/stats", headers: [:])
        #expect(stats.json?["calls"]?.int == 1)
        #expect(stats.json?["by_status"]?["529"]?.int == 1)
        let journal = await simulator.send(method: "GET", path: "_sim/journal", headers: [:])
        let entry = journal.json?["data"]?[0]
        #expect(entry?["status"]?.int == 529)
        #expect(entry?["digest"]?.string == Digest(of: messageBody("Hi")).hex)
        #expect(await simulator.send(Array(#"{"rpm":"x"}"#.utf8), path: "_sim/faults").status == 400)
        _ = await simulator.send(path: "_sim/reset", headers: [:])
        #expect(simulator.stats.calls == 0)
        #expect(await simulator.ask("Hi").status == 200)
    }
}

/// Holds everyone until it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
