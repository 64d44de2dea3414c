import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("Lanes of jobs")
struct LaneTests {
    private let harness = Harness { $0.halfPrice.services = [.test] }

    @Test(
        "auto takes the cheapest that meets the deadline",
        arguments: [
            (#""deadline":"30m""#, true), (#""deadline":"29m""#, false), (#""priority":1"#, false),
            (#""deadline":"1h","delay":"45m""#, false), (#""deadline":"48h","processing":"realtime""#, false),
            (#""processing":"batch""#, true), (#""processing":"auto","deadline":"2h""#, true),
        ])
    func choice(members: String, isHalfPrice: Bool) async throws {
        let job = try await harness.made("{\"prompt\":\"x\",\(members)}")
        #expect(job.isHalfPrice == isHalfPrice)
    }

    @Test(
        "a batch that cannot be is refused with its reason",
        arguments: [
            (#""processing":"batch","deadline":"20m""#, "its deadline leaves less than the 30m"),
            (#""processing":"cheap""#, "“auto”, “realtime”, “batch”"),
        ])
    func refused(members: String, reason: String) async throws {
        let answer = try await harness.send("POST", "/v1/jobs", "{\"prompt\":\"x\",\(members)}")
        #expect(answer.problem == "invalid-field" && answer["field"]?.string == "processing")
        #expect(answer["detail"]?.string?.contains(reason) == true)
    }

    @Test("a provider that takes no batches is named")
    func noBatches() async throws {
        let answer = try await Harness().send("POST", "/v1/jobs", #"{"prompt":"x","processing":"batch"}"#)
        #expect(answer["detail"]?.string?.contains("anthropic takes no batches") == true)
        #expect(try await !Harness().made(#"{"prompt":"x","deadline":"9h"}"#).isHalfPrice)
    }

    @Test("an upload says it for all its lines")
    func upload() async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs/bulk?processing=auto&deadline=3h",
            .bytes(Array("\"a\"\n{\"prompt\":\"b\"}\n".utf8)))
        let ids = try answer.lines.compactMap { $0["id"]?.string.flatMap { JobID($0) } }
        let jobs = harness.store.look { store in ids.compactMap { store.made[$0] } }
        #expect(jobs.count == 2 && jobs.allSatisfy { $0.isHalfPrice && $0.deadline != nil })
    }

    @Test("a message batch goes at half the price where its caller says so")
    func messageBatch() async throws {
        let body =
            #"{"requests":[{"custom_id":"a","params":{"model":"claude-haiku-4-5-20251001","max_tokens":9,"#
            + #""messages":[{"role":"user","content":"a"}]}}]}"#
        try await RealHarness.with(adjust: { $0.halfPrice.services = [.test] }) { harness in
            for (headers, lane) in [
                (Headers(), "realtime"), (["x-renga-processing": "auto"], "batch"),
                (["x-renga-processing": "batch"], "batch"),
            ] {
                let batch = try await harness.send("POST", "/v1/messages/batches", body, headers: headers)
                #expect(batch.status == 200)
                let job = try await harness.send("GET", "/v1/jobs?limit=1").json?["data"]?.elements?.first
                #expect(job?["processing"]?.string == lane)
            }
        }
    }
}
