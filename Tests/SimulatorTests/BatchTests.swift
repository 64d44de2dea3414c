import HTTPServer
import JSON
import Simulator
import Testing

@Suite struct BatchTests {
    @Test func `A new batch has the provider's shape`() async throws {
        let created = await (try makeSimulator()).createBatch(["a", "b"])
        #expect(created.status == 200)
        let id = created.json?["id"]?.string ?? ""
        #expect(id.hasPrefix("msgbatch_01"))
        #expect(
            created.text == """
                {"id":"\(id)","type":"message_batch","processing_status":"in_progress",\
                "request_counts":{"processing":2,"succeeded":0,"errored":0,"canceled":0,"expired":0},\
                "created_at":"2026-09-21T14:13:20.000000Z","expires_at":"2026-09-22T14:13:20.000000Z",\
                "ended_at":null,"cancel_initiated_at":null,"archived_at":null,"results_url":null}
                """)
    }

    @Test func `All rows are under processing until the last is done, and then results can be had`()
        async throws
    {
        let time = FakeTime()
        let simulator = try makeSimulator(["batch-turnaround": "10m"], time)
        let id = await simulator.newBatch((0..<50).map { "prompt \($0)" })
        time.advance(599_999)
        #expect(await simulator.batch(id).counts["processing"] == 50)
        let early = await simulator.results(id)
        #expect(early.status == 404)
        #expect(early.errorType == "not_found_error")
        time.advance(1)
        let ended = await simulator.batch(id)
        #expect(
            ended.counts == ["processing": 0, "succeeded": 50, "errored": 0, "canceled": 0, "expired": 0])
        #expect(ended.json?["ended_at"]?.string == "2026-09-21T14:23:20.000000Z")
        #expect(ended.json?["results_url"]?.string == "/v1/messages/batches/\(id)/results")
    }

    @Test func `The address of the results is where the caller found the simulator`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let id = await simulator.newBatch(["a"])
        time.advance(60_000)
        let seen = await simulator.send(
            method: "GET", path: "\(batchPath)/\(id)",
            headers: ["x-api-key": "k", "anthropic-version": "2023-06-01", "host": "127.0.0.1:8090"])
        #expect(
            seen.json?["results_url"]?.string == "http://127.0.0.1:8090/v1/messages/batches/\(id)/results")
    }

    @Test(arguments: [
        ("{", "JSON"), ("[]", "object"), ("{}", "requests: Field required"),
        (#"{"requests":[]}"#, "at least 1"), (#"{"requests":1}"#, "list"),
        (#"{"requests":[],"x":1}"#, "x: Extra"),
        (#"{"requests":[{"params":{}}]}"#, "requests.0.custom_id: Field"),
        (#"{"requests":[{"custom_id":"a"}]}"#, "requests.0.params: Field"),
        (#"{"requests":[{"custom_id":"a b","params":{}}]}"#, "pattern"),
        (#"{"requests":[{"custom_id":"","params":{}}]}"#, "pattern"),
        (#"{"requests":[{"custom_id":"a","params":{}},{"custom_id":"a","params":{}}]}"#, "not unique"),
    ])
    func `A bad envelope makes no batch`(body: String, reason: String) async throws {
        let simulator = try makeSimulator()
        let seen = await simulator.send(Array(body.utf8), path: batchPath)
        #expect(seen.status == 400)
        #expect(seen.errorType == "invalid_request_error")
        #expect(seen.errorMessage.contains(reason), "\(seen.errorMessage)")
        #expect(await simulator.accountOfBatches()?["created"]?.int == 0)
    }

    @Test func `A batch has at most 100,000 rows, and the queue so many as set`() async throws {
        let simulator = try makeSimulator(["batch-queue": "3"])
        let row = Array(#"{"custom_id":"a","params":{}},"#.utf8)
        let rows = [[UInt8]](repeating: row, count: 100_001).flatMap(\.self).dropLast()
        let many = await simulator.send(
            Array(#"{"requests":["#.utf8) + rows + Array("]}".utf8), path: batchPath)
        #expect(many.status == 400 && many.errorMessage.contains("100000"))
        #expect(await simulator.createBatch(["a", "b"]).status == 200)
        let refused = await simulator.createBatch(["c", "d"])
        #expect(refused.status == 429 && refused.headers["retry-after"] != nil)
        #expect(await simulator.createBatch(["c"]).status == 200)
    }

    @Test func `The list is paged in both directions, newest first`() async throws {
        let simulator = try makeSimulator()
        var ids: [String] = []
        for n in 0..<5 { ids.insert(await simulator.newBatch(["\(n)"]), at: 0) }
        func page(_ query: [(name: String, value: String)]) async -> (ids: [String], JSON?) {
            let json = await simulator.send(method: "GET", path: batchPath, query: query).json
            return ((json?["data"]?.elements ?? []).compactMap { $0["id"]?.string }, json)
        }
        let (all, whole) = await page([])
        #expect(all == ids && whole?["has_more"]?.bool == false)
        #expect(whole?["first_id"]?.string == ids[0] && whole?["last_id"]?.string == ids[4])
        let (older, more) = await page([("limit", "2"), ("after_id", ids[1])])
        #expect(older == [ids[2], ids[3]] && more?["has_more"]?.bool == true)
        let (newer, rest) = await page([("limit", "2"), ("before_id", ids[2])])
        #expect(newer == [ids[0], ids[1]] && rest?["has_more"]?.bool == false)
        let wrong = await simulator.send(method: "GET", path: batchPath, query: [("limit", "1001")])
        #expect(wrong.status == 400)
    }

    @Test func `Only what has ended is deleted`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let id = await simulator.newBatch(["a"])
        #expect(await simulator.send(method: "DELETE", path: "\(batchPath)/\(id)").status == 400)
        time.advance(60_000)
        let deleted = await simulator.send(method: "DELETE", path: "\(batchPath)/\(id)")
        #expect(deleted.text == #"{"id":"\#(id)","type":"message_batch_deleted"}"#)
        #expect(await simulator.batch(id).status == 404)
        #expect(await simulator.send(method: "PUT", path: "\(batchPath)/\(id)").status == 405)
        #expect(await simulator.send(method: "GET", path: "\(batchPath)/\(id)/parts").status == 404)
    }

    @Test func `Keys and versions are asked for, and the endpoints have a limit of their own`() async throws {
        let simulator = try makeSimulator(["batch-rpm": "2", "rpm": "1"])
        #expect(await simulator.send(method: "GET", path: batchPath, headers: [:]).status == 401)
        #expect(
            await simulator.send(method: "GET", path: batchPath, headers: ["x-api-key": "k"]).status == 400)
        for status in [200, 200, 429] {
            let seen = await simulator.send(method: "GET", path: batchPath)
            #expect(seen.status == status)
            #expect((seen.headers["retry-after"] == "30") == (status == 429))
        }
        #expect(await simulator.ask("Hi").status == 200)
    }

    @Test func `Results are archived after 29 days`() async throws {
        let time = FakeTime()
        let simulator = try makeSimulator([:], time)
        let id = await simulator.newBatch(["a"])
        time.advance(29 * 86_400_000)
        let batch = await simulator.batch(id)
        #expect(batch.json?["archived_at"]?.string?.hasPrefix("2026-10-20T") == true)
        #expect(batch.counts["succeeded"] == 1)
        #expect(await simulator.results(id).status == 404)
    }
}
