import Foundation
import HTTPServer
import JSON
import JobStoreSQLite
import Jobs
import Telemetry
import Testing

@testable import API

@Suite("The API over the real store", .timeLimit(.minutes(1)))
struct StoreTests {
    @Test("a job goes from POST to its result, and its repetition costs nothing")
    func lifecycle() async throws {
        try await RealHarness.with { harness in
            let posted = try await harness.send(
                "POST", "/v1/jobs", #"{"custom_id":"k","prompt":"Hi","tags":["t"]}"#)
            let id = try #require(posted["id"]?.string)
            let queued = try await harness.send("GET", "/v1/jobs/\(id)")
            for member in [
                "id", "custom_id", "queue", "state", "created_at", "run_at", "model", "max_attempts", "tags",
            ] {
                #expect(queued[member]?.raw == posted[member]?.raw, "\(member)")
            }
            #expect(queued["waiting_for"]?["reason"]?.string == "worker")
            #expect(try await harness.work() == 1)
            let done = try await harness.send("GET", "/v1/jobs/\(id)")
            #expect(done["state"]?.string == "succeeded" && done["text"]?.string == "positive")
            #expect(done["usage"]?["input_tokens"]?.int == 21 && done["cost_usd"]?.string == "0.000041")
            let again = try await harness.send(
                "POST", "/v1/jobs", #"{"custom_id":"k","prompt":"Hi","tags":["t"]}"#)
            #expect(again.status == 200 && again["id"]?.string == id && again["text"]?.string == "positive")
            let attempts = try await harness.send("GET", "/v1/jobs/\(id)/attempts")
            #expect(attempts["data"]?[0]?["verdict"]?.string == "succeeded")
        }
    }

    @Test("a bulk upload fills its batch, and its results come in input order")
    func bulk() async throws {
        try await RealHarness.with { harness in
            let text = (0..<700).map { "{\"custom_id\":\"k\($0)\",\"prompt\":\"\($0)\"}\n" }.joined()
            let answer = try await harness.upload(text, query: "?batch=nightly&queue=n")
            #expect(try answer.lines.filter { $0["status"]?.string == "created" }.count == 700)
            let again = try await harness.upload(text, query: "?batch=nightly&queue=n")
            #expect(try again.lines.filter { $0["status"]?.string == "existing" }.count == 700)
            #expect(try again.lines.map { $0["id"]?.string } == answer.lines.map { $0["id"]?.string })
            while try await harness.work() > 0 {}
            let batch = try await harness.send("GET", "/v1/jobs/batches/nightly")
            #expect(batch["progress"]?.double == 1 && batch["counts"]?["succeeded"]?.int == 700)
            let results = try await harness.send("GET", "/v1/results?batch_id=nightly&order=input").lines
            #expect(results.map { $0["custom_id"]?.string } == (0..<700).map { "k\($0)" })
            let rest = try await harness.send(
                "GET",
                "/v1/results?batch_id=nightly&order=input&after=\(results[689]["cursor"]?.string ?? "")")
            #expect(try rest.lines.map { $0["custom_id"]?.string } == (690..<700).map { "k\($0)" })
            let finished = try await harness.send("GET", "/v1/results?queue=n").lines
            #expect(finished.count == 700)
        }
    }

    @Test("what is null is left out, when a repetition is told from a conflict too")
    func nulls() async throws {
        try await RealHarness.with { harness in
            let first = try await harness.send("POST", "/v1/jobs", #"{"prompt":"s1","custom_id":"nn"}"#)
            let again = try await harness.send(
                "POST", "/v1/jobs", #"{"prompt":"s1","custom_id":"nn","delay":null,"metadata":null}"#)
            #expect(again.status == 202 && again["id"]?.string == first["id"]?.string)
            let other = try await harness.send("POST", "/v1/jobs", #"{"prompt":"s2","custom_id":"nn"}"#)
            #expect(other.problem == "custom-id-taken")
        }
    }

    @Test("results of jobs that have not ended are refused", arguments: ["queued", "running", "review"])
    func unfinishedResults(state: String) async throws {
        let answer = try await Harness().send("GET", "/v1/results?state=\(state)")
        #expect(answer.problem == "invalid-parameter" && answer["field"]?.string == "state")
    }

    @Test("a dry run tells what the cache will answer")
    func dryRun() async throws {
        try await RealHarness.with { harness in
            _ = try await harness.send("POST", "/v1/jobs", #"{"prompt":"Hi"}"#)
            _ = try await harness.work()
            let dry = try await harness.upload("\"Hi\"\n\"Ho\"\n", query: "?dry_run=true")
            #expect(try dry.lines.map { $0["status"]?.string } == ["cached", "new"])
            #expect(try dry.lines[0]["saves_usd"]?.string == "0.000041")
        }
    }

    @Test("a wait is answered when the job ends")
    func wait() async throws {
        try await RealHarness.with { harness in
            let api = harness.api
            let watcher = Task { await api.run() }
            defer { watcher.cancel() }
            async let answer = harness.send("POST", "/v1/jobs?wait=30", #"{"prompt":"Hi"}"#)
            while await api.waiters.count == 0 { await Task.yield() }
            while try await harness.work() == 0 {}
            #expect(try await answer.status == 200)
        }
    }

    @Test("what fails is found by its error, and retried with a mended model")
    func retry() async throws {
        try await RealHarness.with { harness in
            _ = try await harness.upload("\"a\"\n\"b\"\n", query: "?model=no-such-model")
            let error = JobError(
                type: "not_found_error", message: "model: no-such-model", status: 404, retryable: false)
            #expect(try await harness.work(.failed(error)) == 2)
            let failed = try await harness.send("GET", "/v1/jobs?error_type=not_found_error")
            #expect(failed["data"]?.count == 2)
            #expect(failed["data"]?[0]?["error"]?["status"]?.int == 404)
            let body = #"{"error_type":"not_found_error","set":{"model":"claude-haiku-4-5-20251001"}}"#
            #expect(try await harness.send("POST", "/v1/jobs/retry", body)["count"]?.int == 2)
            #expect(try await harness.work() == 2)
            let all = try await harness.send("GET", "/v1/jobs?state=succeeded&include=request")
            #expect(all["data"]?[0]?["request"]?["model"]?.string == "claude-haiku-4-5-20251001")
        }
    }

    @Test("a paused queue and a paused route say so to those who wait")
    func pauses() async throws {
        try await RealHarness.with { harness in
            let id =
                try await harness.send("POST", "/v1/jobs", #"{"prompt":"Hi","queue":"a/b"}"#)["id"]?.string
                ?? ""
            func gate() async throws -> String? {
                try await harness.send("GET", "/v1/jobs/\(id)")["waiting_for"]?["reason"]?.string
            }
            _ = try await harness.send("PATCH", "/v1/queues/a%2Fb", #"{"paused":true}"#)
            #expect(try await gate() == "pause")
            _ = try await harness.send("PATCH", "/v1/queues/a%2Fb", #"{"paused":false}"#)
            #expect(try await gate() == "worker")
            let route = try await harness.send(
                "PATCH", "/v1/routes/anthropic/claude-haiku-4-5-20251001", #"{"paused":true}"#)
            #expect(route["paused"]?.bool == true)
            #expect(try await gate() == "pause")
            #expect(try await harness.send("GET", "/v1/routes")["data"]?.count == 1)
        }
    }

    @Test("cancelling by filter, stats and health agree on the counts")
    func counts() async throws {
        try await RealHarness.with { harness in
            _ = try await harness.upload("\"a\"\n\"b\"\n\"c\"\n", query: "?tag=t")
            _ = try await harness.send("POST", "/v1/jobs", #"{"prompt":"d"}"#)
            #expect(try await harness.send("POST", "/v1/jobs/cancel", #"{"tag":"t"}"#)["count"]?.int == 3)
            let stats = try await harness.send("GET", "/v1/stats")
            #expect(stats["counts"]?["cancelled"]?.int == 3 && stats["counts"]?["queued"]?.int == 1)
            #expect(try await harness.send("GET", "/ready")["store"]?["engine"]?.string == "SQLite")
            #expect(try await harness.send("GET", "/ready").status == 200)
        }
    }

    @Test("the metrics say what the stats say")
    func metrics() async throws {
        try await RealHarness.with { harness in
            _ = try await harness.send("POST", "/v1/jobs", #"{"prompt":"Hi"}"#)
            #expect(try await harness.work() == 1)
            let text = try await harness.send("GET", "/metrics").text
            #expect(text.contains("renga_jobs{queue=\"default\",state=\"succeeded\"} 1\n"))
            #expect(text.contains("renga_calls_today 1\n"))
            #expect(text.contains("renga_spend_usd_today 4.1e-05\n"))
            #expect(text.hasSuffix("\n"))
        }
    }
}
