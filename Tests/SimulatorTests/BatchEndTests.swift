import HTTPServer
import JSON
import Simulator
import Testing

/// How batches end otherwise than by being done, and what they cost then.
@Suite struct BatchEndTests {
    @Test func `A canceled batch keeps what was done, and a part of what was under way`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["batch-turnaround": "100s", "batch-cancel-time": "20s"], time)
        let id = await simulator.newBatch((0..<200).map { "\($0)" })
        time.advance(40_000)
        let canceling = await simulator.send(path: "\(batchPath)/\(id)/cancel")
        #expect(canceling.json?["processing_status"]?.string == "canceling")
        #expect(canceling.json?["cancel_initiated_at"]?.string == "2026-09-21T14:14:00.000000Z")
        #expect(canceling.counts["processing"] == 200)
        #expect(await simulator.send(path: "\(batchPath)/\(id)/cancel").bytes == canceling.bytes)
        time.advance(19_999)
        #expect(await simulator.status(of: id) == "canceling")
        time.advance(1)
        let ended = await simulator.batch(id)
        #expect(ended.json?["ended_at"]?.string == "2026-09-21T14:14:20.000000Z")
        // 40 % were done before, and 20 % became due while it was canceling: half of those go on.
        #expect((75...125).contains(ended.counts["succeeded"] ?? 0))
        #expect((ended.counts["succeeded"] ?? 0) + (ended.counts["canceled"] ?? 0) == 200)
        let types = await simulator.results(id).batchLines.map(\.type)
        #expect(types.filter { $0 == "canceled" }.count == ended.counts["canceled"])
        #expect(await simulator.send(path: "\(batchPath)/\(id)/cancel").status == 400)
    }

    @Test func `What is not done within the window expires`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["batch-turnaround": "2h", "batch-window": "1h"], time)
        let id = await simulator.newBatch((0..<100).map { "\($0)" })
        time.advance(3_600_000)
        let ended = await simulator.batch(id)
        #expect(ended.json?["processing_status"]?.string == "ended")
        #expect(ended.json?["ended_at"]?.string == ended.json?["expires_at"]?.string)
        #expect((30...70).contains(ended.counts["expired"] ?? 0))
        #expect((ended.counts["succeeded"] ?? 0) + (ended.counts["expired"] ?? 0) == 100)
    }

    @Test(arguments: [(["batch-stuck": "0.25"], 0..<400, ""), ([:], 0..<3, "[[sim:stall]]")])
    func `Stuck rows last the whole window`(options: [String: String], rows: Range<Int>, marker: String)
        async throws
    {
        let time = FakeTime()
        let simulator = try makeSimulator(options, time)
        let id = await simulator.newBatch(rows.map { "\($0)" } + ["Hi \(marker)"])
        time.advance(86_399_999)
        #expect(await simulator.status(of: id) == "in_progress")
        time.advance(1)
        let expired = await simulator.batch(id).counts["expired"] ?? 0
        #expect(marker.isEmpty ? (70...130).contains(expired) : expired == 1)
    }

    @Test func `Turnarounds are drawn between their bounds`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(["batch-turnaround": "10s..20s"], time)
        var ids: [String] = []
        for n in 0..<40 { ids.append(await simulator.newBatch(["\(n)"])) }
        func ended() async -> Int {
            var count = 0
            for id in ids where await simulator.status(of: id) == "ended" { count += 1 }
            return count
        }
        time.advance(9_999)
        #expect(await ended() == 0)
        time.advance(5_001)
        #expect((8...32).contains(await ended()))
        time.advance(5_000)
        #expect(await ended() == 40)
    }

    @Test func `Each row that succeeded is billed once at half the price, and told by its name`() async throws
    {
        let time = FakeTime()
        let simulator = try makeSimulator(["batch-turnaround": "100s", "batch-cancel-time": "0"], time)
        let id = await simulator.newBatch([
            "done [[sim:latency=10s]]", "bad [[sim:status=500]] [[sim:latency=1s]]", "late",
        ])
        time.advance(20_000)
        _ = await simulator.send(path: "\(batchPath)/\(id)/cancel")
        let message = await simulator.lines(id)["r-0"]?.message
        let input = message?["usage"]?["input_tokens"]?.int ?? 0
        let output = message?["usage"]?["output_tokens"]?.int ?? 0
        let account = await simulator.accountOfBatches()
        for (name, count) in [
            ("created", 1), ("rows", 3), ("processing", 0), ("succeeded", 1), ("errored", 1), ("canceled", 1),
            ("billed_rows", 1), ("input_tokens", input), ("output_tokens", output),
            ("cost_nanodollars", (input * 1000 + output * 5000 + 1) / 2),
        ] {
            #expect(account?[name]?.int == count, "\(name)")
        }
        let rows = simulator.entries().filter { $0.endpoint == "batches.row" }
        #expect(rows.map(\.row?.customID) == ["r-1", "r-0", "r-2"])
        #expect(rows.map(\.result) == ["errored", "succeeded", "canceled"])
        #expect(rows.map(\.isBilled) == [false, true, false])
        #expect(rows[1].usage.isBatch && rows[1].row?.batch == id)
        #expect(rows[1].digest == Digest(of: messageBody("done [[sim:latency=10s]]")))
        #expect(simulator.stats.calls == 0 && simulator.stats.billedCalls == 1)
    }

    @Test func `The account needs nobody to ask for the batch, and tells what was paid twice`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        _ = await simulator.newBatch(["a", "b"])
        _ = await simulator.newBatch(["a"])
        time.advance(60_000)
        _ = await simulator.ask("b")
        let stats = await simulator.send(method: "GET", path: "_sim/stats", headers: [:]).json
        #expect(stats?["batches"]?["billed_rows"]?.int == 3)
        #expect(stats?["billed_calls"]?.int == 4)
        #expect(stats?["billed_duplicates"]?.int == 2)
        let journal = await simulator.send(method: "GET", path: "_sim/journal", headers: [:]).json
        let rows = (journal?["data"]?.elements ?? []).filter { $0["endpoint"]?.string == "batches.row" }
        #expect(rows.count == 3)
        for row in rows {
            #expect(row["service_tier"]?.string == "batch" && row["billed"]?.bool == true)
            #expect(row["custom_id"]?.string?.hasPrefix("r-") == true && row["result"]?.string == "succeeded")
        }
        await simulator.reset()
        #expect(await simulator.accountOfBatches()?["rows"]?.int == 0)
    }
}
