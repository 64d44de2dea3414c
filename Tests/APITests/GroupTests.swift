import HTTPServer
import JSON
import Jobs
import Synchronization
import Telemetry
import Testing

@testable import API

@Suite("Batches, queues, routes and results")
struct GroupTests {
    let harness = Harness()

    @Test("a batch is made once, and found by id and by name")
    func batches() async throws {
        let made = try await harness.send("POST", "/v1/jobs/batches", #"{"name":"a/b c","metadata":{"x":1}}"#)
        let again = try await harness.send("POST", "/v1/jobs/batches", #"{"name":"a/b c"}"#)
        #expect(made.status == 201 && again.status == 200)
        let id = try #require(made["id"]?.string)
        for target in ["/v1/jobs/batches/\(id)", "/v1/jobs/batches/a/b%20c", "/v1/jobs/batches/a%2Fb%20c"] {
            #expect(try await harness.send("GET", target)["id"]?.string == id, "\(target)")
        }
        #expect(try await harness.send("GET", "/v1/jobs/batches")["data"]?[0]?["metadata"]?["x"]?.int == 1)
        #expect(try await harness.send("GET", "/v1/jobs/batches/none").problem == "unknown-batch")
        #expect(
            try await harness.send("POST", "/v1/jobs/batches", #"{"name":"\#(id)"}"#).problem
                == "invalid-field")
    }

    @Test("a batch tells counts, progress, cost and what all of it may cost")
    func progress() async throws {
        let batch = try await harness.store.createBatch(name: "n", metadata: nil)
        harness.store.change { state in
            state.batches[batch.id]?.counts.succeeded = 1
            state.batches[batch.id]?.counts.queued = 2
            state.batches[batch.id]?.cost = Money(nanodollars: 1_000_000)
        }
        let answer = try await harness.send("GET", "/v1/jobs/batches/n")
        #expect(answer["counts"]?["total"]?.int == 3)
        #expect(answer["progress"]?.double == 0.333)
        #expect(answer["cost_usd"]?.string == "0.001000")
        #expect(answer["saved_usd"]?.string == "0")
        #expect(answer["estimate"]?["cost_usd"]?.string == "0.003000")
    }

    @Test("a queue that nobody has used has the weight that it will have")
    func newQueue() async throws {
        let answer = try await harness.send("GET", "/v1/queues/new")
        #expect(answer["weight"]?.int == 100 && answer["counts"]?["total"]?.int == 0)
    }

    @Test("a queue is paused, limited and freed again")
    func queues() async throws {
        let patched = try await harness.send(
            "PATCH", "/v1/queues/a%2Fb?create=true", #"{"paused":true,"concurrency":3,"weight":9}"#)
        #expect(patched["name"]?.string == "a/b")
        #expect(patched["paused"]?.bool == true)
        #expect(patched["concurrency"]?.int == 3)
        let freed = try await harness.send("PATCH", "/v1/queues/a/b", #"{"concurrency":null}"#)
        #expect(
            freed["concurrency"]?.isNull == true && freed["paused"]?.bool == true && freed["weight"]?.int == 9
        )
        #expect(try await harness.send("GET", "/v1/queues")["data"]?.count == 1)
    }

    @Test("a misspelt queue is not made, but told which one was meant; what is wanted is made on purpose")
    func unknownQueue() async throws {
        _ = try await harness.send("PATCH", "/v1/queues/tickets?create=true", #"{"weight":2}"#)
        let typo = try await harness.send("PATCH", "/v1/queues/tickts", #"{"paused":true}"#)
        #expect(typo.status == 404 && typo.problem == "unknown-queue")
        #expect(typo["detail"]?.string?.contains("(did you mean “tickets”?)") == true)
        #expect(try await harness.send("GET", "/v1/queues")["data"]?.count == 1)
        for name in ["default", "interactive", "batches"] {
            #expect(try await harness.send("PATCH", "/v1/queues/\(name)", #"{"paused":true}"#).status == 200)
        }
    }

    @Test("results may be of one state, and so many")
    func someResults() async throws {
        var ids: [JobID] = []
        for index in 0..<6 { ids.append(try await harness.job(#"{"prompt":"\#(index)"}"#)) }
        for (index, id) in ids.enumerated() { harness.store.finish(id, as: index < 2 ? .failed : .succeeded) }
        func lines(_ query: String) async throws -> [String?] {
            try await harness.send("GET", "/v1/results?" + query).lines.map { $0["state"]?.string }
        }
        #expect(try await lines("state=failed") == ["failed", "failed"])
        #expect(try await lines("state=succeeded&limit=3") == ["succeeded", "succeeded", "succeeded"])
        #expect(try await lines("limit=1").count == 1)
        #expect(try await lines("state=cancelled") == [])
        #expect(try await harness.send("GET", "/v1/results?limit=0").problem == "invalid-parameter")
    }

    @Test(
        "a wrong change of a queue is refused",
        arguments: [
            #"{"concurrency":0}"#, #"{"weight":0}"#, #"{"weight":1001}"#, #"{"paused":"yes"}"#,
            #"{"pause":true}"#,
        ])
    func wrongQueue(body: String) async throws {
        #expect(try await harness.send("PATCH", "/v1/queues/a", body).status == 400)
        #expect(try await harness.send("PATCH", "/v1/queues/a%20b", "{}").problem == "invalid-parameter")
    }

    @Test("a route is paused by its name, with its slash plain or escaped")
    func routes() async throws {
        harness.store.change { state in
            state.routes["anthropic/m"] = RouteStatus(
                name: "anthropic/m", endpoint: "e", simulated: false, paused: false, gate: nil,
                requests: RouteStatus.Level(perMinute: 50, available: 49), inputTokens: nil,
                outputTokens: nil,
                running: 0, succeeded: 0)
        }
        for (target, paused) in [("/v1/routes/anthropic/m", true), ("/v1/routes/anthropic%2Fm", false)] {
            let answer = try await harness.send("PATCH", target, #"{"paused":\#(paused)}"#)
            #expect(answer["paused"]?.bool == paused)
            #expect(answer["limits"]?["requests"]?["available"]?.int == 49)
        }
        #expect(
            try await harness.send("PATCH", "/v1/routes/x", #"{"paused":true}"#).problem == "unknown-route")
        #expect(try await harness.send("PATCH", "/v1/routes/x", "{}").problem == "missing-field")
    }

    @Test("results come a line each, with a cursor that continues")
    func results() async throws {
        for index in 0..<120 {
            harness.store.finish(try await harness.job(#"{"prompt":"\#(index)"}"#), text: "\(index)")
        }
        let all = try await harness.send("GET", "/v1/results").lines
        #expect(all.map { $0["text"]?.string } == (0..<120).map(String.init))
        #expect(all[0]["request"] == nil && all[0]["response"] != nil)
        let cursor = try #require(all[99]["cursor"]?.string)
        let rest = try await harness.send("GET", "/v1/results?after=\(cursor)&include=request").lines
        #expect(rest.map { $0["text"]?.string } == (100..<120).map(String.init))
        #expect(rest[0]["request"] != nil)
    }

    @Test("results that fail at once are a problem, later a broken answer, and the log says why")
    func brokenResults() async throws {
        let lines = Mutex<[String]>([])
        let log = Log(level: .error, now: { 0 }) { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        let harness = Harness(log: log)
        for _ in 0..<60 { harness.store.finish(try await harness.job()) }
        harness.store.change { $0.resultsBeforeFailure = 1 }
        await #expect(throws: JobStoreError.self) { try await harness.send("GET", "/v1/results") }
        #expect(lines.withLock { $0.count { $0.contains("request failed") && $0.contains("gone") } } == 1)
        #expect(try await harness.send("GET", "/v1/results").problem == "store-unavailable")
    }

    @Test(
        "results refuse what cannot be had",
        arguments: ["order=input", "order=x", "after=x", "after=-1", "batch_id="])
    func wrongResults(query: String) async throws {
        let answer = try await harness.send("GET", "/v1/results?" + query)
        #expect(query == "batch_id=" ? answer.status == 200 : answer.problem == "invalid-parameter")
    }
}
