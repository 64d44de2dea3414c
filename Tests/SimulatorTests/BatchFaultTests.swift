import HTTPServer
import JSON
import Simulator
import Testing

@Suite struct BatchFaultTests {
    @Test func `A create that fails makes nothing, and one whose answer is lost makes a batch`() async throws
    {
        let simulator = try makeSimulator(["batch-faults": "create=529:#1,create=drop-after:#2"])
        #expect(await simulator.createBatch(["a"]).errorType == "overloaded_error")
        #expect(await simulator.accountOfBatches()?["created"]?.int == 0)
        #expect(await simulator.createBatch(["a"]).isBroken)
        let list = await simulator.send(method: "GET", path: batchPath).json
        #expect(list?["data"]?.count == 1)
        #expect(await simulator.createBatch(["a"]).status == 200)
        let creates = simulator.entries().filter { $0.endpoint == "batches.create" }
        #expect(creates.map(\.fault) == ["529", "drop-after", nil])
        #expect(creates.map(\.status) == [529, nil, 200])
    }

    @Test func `Numbers count anew each time the faults are set`() async throws {
        let simulator = try makeSimulator()
        for _ in 0..<2 {
            #expect(await simulator.createBatch(["a"]).status == 200)
            let set = await simulator.send(
                Array(#"{"batch-faults":["create=drop-after:#1-2"]}"#.utf8), path: "_sim/settings")
            #expect(set.status == 200)
            for isBroken in [true, true, false] {
                #expect(await simulator.createBatch(["a"]).isBroken == isBroken)
            }
        }
    }

    @Test(arguments: [
        ("truncate", true, 0), ("early-end", false, 5), ("malformed", false, 9), ("empty", false, 0),
        ("drop-after", true, 0), ("stall-body", true, 0), ("drip", false, 10), ("reset", true, 0),
    ])
    func `Results are cut as asked, and whole the next time`(fault: String, isBroken: Bool, lines: Int)
        async throws
    {
        let time = FakeTime()
        let simulator = try makeSimulator(["batch-faults": "results=\(fault):#1"], time)
        let id = await simulator.newBatch((0..<10).map { "\($0)" })
        time.advance(60_000)
        let seen = await simulator.results(id)
        #expect(seen.isBroken == isBroken)
        // Of a body that breaks off, nothing is seen without a socket.
        #expect(seen.batchLines.count == lines)
        #expect(await simulator.results(id).batchLines.count == 10)
    }

    @Test func `Polls fail as asked, and in an outage`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator(
            ["batch-faults": "get=truncate:#1,get=404:#2,get=429;retry-after=7:#3,get=html502:#4"], time)
        let id = await simulator.newBatch(["a"])
        #expect(await simulator.batch(id).isBroken)
        #expect(await simulator.batch(id).status == 404)
        #expect(await simulator.batch(id).headers["retry-after"] == "7")
        #expect(await simulator.batch(id).status == 502)
        #expect(await simulator.status(of: id) == "in_progress")
        try simulator.update(["outage": "0+5s:503"])
        #expect(await simulator.batch(id).status == 503)
        time.advance(5_000)
        #expect(await simulator.batch(id).status == 200)
    }

    @Test(arguments: [
        ["batch-faults": "529"], ["batch-faults": "make=529"], ["batch-faults": "get=refusal"],
        ["batch-turnaround": "5m..1m"], ["batch-stuck": "2"], ["batch-queue": "0"],
    ])
    func `A wrong setting is refused with its name`(options: [String: String]) {
        let error = #expect(throws: SettingError.self) { try SimulatorSettings(options: options) }
        #expect(error?.message.contains(options.keys.first ?? "-") == true)
    }
}
