import HTTPServer
import JSON
import JobStoreSQLite
import Jobs
import Testing
import TestSupport

@testable import API

@Suite("/v1/messages/batches")
struct MessageBatchTests {
    private static let path = "/v1/messages/batches"

    private func request(_ id: String, _ more: String = "") -> String {
        #"{"custom_id":"\#(id)","params":{"model":"claude-haiku-4-5-20251001","max_tokens":9,\#(more)"#
            + #""messages":[{"role":"user","content":"\#(id)"}]}}"#
    }

    private func body(_ requests: String...) -> String {
        #"{"requests":[\#(requests.joined(separator: ","))]}"#
    }

    private func created(_ harness: RealHarness, _ ids: String..., headers: Headers = [:]) async throws
        -> String
    {
        let body = #"{"requests":[\#(ids.map { request($0) }.joined(separator: ","))]}"#
        let answer = try await harness.send("POST", Self.path, body, headers: headers)
        #expect(answer.status == 200)
        return try #require(answer["id"]?.string)
    }

    @Test("a batch has the fields that SDKs read, and counts while it is in progress")
    func shape() async throws {
        try await RealHarness.with { harness in
            let batch = try await harness.send("POST", Self.path, body(request("a"), request("b")))
            let id = try #require(batch["id"]?.string)
            #expect(id.hasPrefix("msgbatch_"))
            #expect(
                batch.json?.members?.map(\.key) == [
                    "id", "type", "processing_status", "request_counts", "created_at", "expires_at",
                    "ended_at",
                    "cancel_initiated_at", "archived_at", "results_url",
                ])
            #expect(batch["type"]?.string == "message_batch")
            #expect(batch["processing_status"]?.string == "in_progress")
            #expect(batch["request_counts"]?["processing"]?.int == 2)
            #expect(batch["created_at"]?.string == "2023-11-14T22:13:20.000Z")
            #expect(batch["expires_at"]?.string == "2023-11-15T22:13:20.000Z")
            for name in ["ended_at", "cancel_initiated_at", "archived_at", "results_url"] {
                #expect(batch[name]?.isNull == true)
            }
            #expect(try await harness.send("GET", Self.path + "/" + id).text == batch.text)
        }
    }

    @Test("an ended batch says where its results are, and each request has one, in the order of the input")
    func results() async throws {
        try await RealHarness.with { harness in
            let id = try await created(harness, "a", "b", "c")
            let early = try await harness.send("GET", "\(Self.path)/\(id)/results")
            #expect(early.status == 400 && early["error"]?["type"]?.string == "invalid_request_error")
            while try await harness.work() > 0 {}
            let batch = try await harness.send(
                "GET", "\(Self.path)/\(id)", headers: ["host": "renga.localhost:8080"])
            #expect(batch["processing_status"]?.string == "ended")
            #expect(batch["request_counts"]?["succeeded"]?.int == 3)
            #expect(
                batch["results_url"]?.string
                    == "http://renga.localhost:8080/v1/messages/batches/\(id)/results")
            let results = try await harness.send("GET", "\(Self.path)/\(id)/results")
            #expect(results.text.hasSuffix("}\n") && !results.text.contains("\n\n"))
            let lines = try results.lines
            #expect(lines.map { $0["custom_id"]?.string } == ["a", "b", "c"])
            #expect(lines.allSatisfy { $0["result"]?["type"]?.string == "succeeded" })
            #expect(lines[0]["result"]?["message"]?["type"]?.string == "message")
        }
    }

    @Test(
        "what is wrong with one request is its own result",
        arguments: [
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":9}"#,
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":9,"messages":[],"stream":true}"#,
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":0,"messages":[{"role":"user","content":"x"}]}"#,
            #"{"model":7,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#,
        ])
    func errored(_ params: String) async throws {
        try await RealHarness.with { harness in
            let wrong = #"{"custom_id":"wrong","params":\#(params)}"#
            let made = try await harness.send("POST", Self.path, body(request("a"), wrong))
            #expect(made.status == 200 && made["request_counts"]?["errored"]?.int == 1)
            let id = try #require(made["id"]?.string)
            while try await harness.work() > 0 {}
            let lines = try await harness.send("GET", "\(Self.path)/\(id)/results").lines
            #expect(lines.map { $0["custom_id"]?.string } == ["a", "wrong"])
            let result = try #require(lines.last?["result"])
            #expect(result["type"]?.string == "errored")
            #expect(result["error"]?["type"]?.string == "error")
            #expect(result["error"]?["error"]?["type"]?.string == "invalid_request_error")
            #expect(result["error"]?["request_id"]?.isNull == true)
        }
    }

    @Test("sampling is refused, request by request, from the version on that lacks it")
    func versions() async throws {
        try await RealHarness.with { harness in
            for (version, errored) in [("2023-06-01", 0), ("2026-10-21", 1)] {
                let made = try await harness.send(
                    "POST", Self.path, body(request("a", #""temperature":1,"#), request("b")),
                    headers: ["anthropic-version": version])
                #expect(made.status == 200 && made["request_counts"]?["errored"]?.int == errored)
            }
        }
    }

    @Test(
        "a wrong envelope refuses the whole, in the provider's words, and leaves nothing",
        arguments: [
            #"{"requests":[]}"#, #"{"requests":{}}"#, "{}", "", "[]", #"{"requests":[7]}"#,
            #"{"requests":[{"params":{}}]}"#, #"{"requests":[{"custom_id":"a"}]}"#,
            #"{"requests":[{"custom_id":"a","params":7}]}"#, #"{"requests":[{"custom_id":7,"params":{}}]}"#,
            #"{"requests":[{"custom_id":"","params":{}}]}"#,
            #"{"requests":[{"custom_id":"a b","params":{}}]}"#,
            #"{"requests":[{"custom_id":"a","params":{}},{"custom_id":"a","params":{}}]}"#,
            #"{"requests":[{"custom_id":"a","params":{},"extra":1}]}"#,
            #"{"requests":[{"custom_id":"a","params":{}}]"#,
            #"{"requests":[{"custom_id":"a","params":{}}]} x"#,
            #"{"requests":[{"custom_id":"a","params":{]}}"#,
        ])
    func envelopes(_ text: String) async throws {
        try await RealHarness.with { harness in
            let answer = try await harness.send("POST", Self.path, text)
            #expect(answer.status == 400)
            #expect(answer["type"]?.string == "error" && answer["request_id"]?.string == "req_test")
            #expect(answer["error"]?["type"]?.string == "invalid_request_error")
            #expect(answer["error"]?["message"]?.string?.isEmpty == false)
            #expect(try await harness.store.count(JobFilter()) == 0)
            #expect(try await harness.send("GET", Self.path)["data"]?.elements?.isEmpty == true)
            #expect(try await harness.send("GET", "/v1/jobs/batches")["data"]?.elements?.isEmpty == true)
        }
    }

    @Test("a custom id has 64 characters at most")
    func customIDs() async throws {
        try await RealHarness.with { harness in
            let longest = String(repeating: "a-Z_9012", count: 8)
            for (id, status) in [(longest, 200), (longest + "x", 400), ("ü", 400)] {
                let answer = try await harness.send("POST", Self.path, body(request(id)))
                #expect(answer.status == status)
            }
        }
    }

    @Test("a cut upload leaves nothing")
    func cut() async throws {
        try await RealHarness.with { harness in
            let whole = body(request("a"), request("b"))
            let stream = BodyStream(Array(whole.utf8.dropLast(9)), isCut: true)
            let head = RequestHead(method: "POST", target: Self.path)
            let answer = await harness.api.respond(to: Request(head: head, body: .stream(stream)))
            let jobs = try await harness.store.count(JobFilter())
            #expect(answer.status == 400 && jobs == 0)
        }
    }

    @Test("the same key with the same body is the same batch, with another one it is refused")
    func idempotency() async throws {
        try await RealHarness.with { harness in
            let key: Headers = ["idempotency-key": "k"]
            let first = try await created(harness, "a", "b", headers: key)
            #expect(try await created(harness, "a", "b", headers: key) == first)
            let other = try await harness.send("POST", Self.path, body(request("a")), headers: key)
            #expect(other.status == 422 && other["error"]?["type"]?.string == "invalid_request_error")
            #expect(other.headers["x-should-retry"] == "false")
            #expect(try await harness.store.count(JobFilter()) == 2)
            #expect(try await created(harness, "a", "b") != first)
        }
    }

    @Test("a cancelled batch ends, says since when, and its results say canceled")
    func cancelling() async throws {
        try await RealHarness.with { harness in
            let id = try await created(harness, "a", "b")
            let batch = try await harness.send("POST", "\(Self.path)/\(id)/cancel")
            #expect(batch["processing_status"]?.string == "ended")
            #expect(batch["cancel_initiated_at"]?.string != nil)
            #expect(batch["request_counts"]?["canceled"]?.int == 2)
            let lines = try await harness.send("GET", "\(Self.path)/\(id)/results").text
            #expect(
                lines == #"{"custom_id":"a","result":{"type":"canceled"}}"# + "\n"
                    + #"{"custom_id":"b","result":{"type":"canceled"}}"# + "\n")
            #expect(try await harness.work() == 0)
        }
    }

    @Test("a batch is deleted once it has ended, and not before")
    func deleting() async throws {
        try await RealHarness.with { harness in
            let id = try await created(harness, "a")
            #expect(try await harness.send("DELETE", "\(Self.path)/\(id)").status == 400)
            while try await harness.work() > 0 {}
            let deleted = try await harness.send("DELETE", "\(Self.path)/\(id)")
            #expect(deleted.text == #"{"id":"\#(id)","type":"message_batch_deleted"}"#)
            for (method, path) in [("GET", ""), ("GET", "/results"), ("POST", "/cancel"), ("DELETE", "")] {
                let gone = try await harness.send(method, "\(Self.path)/\(id)\(path)")
                #expect(gone.status == 404 && gone["error"]?["type"]?.string == "not_found_error")
            }
        }
    }

    @Test("lists go on from either end")
    func lists() async throws {
        try await RealHarness.with { harness in
            var ids: [String] = []
            for number in 0..<5 { ids.insert(try await created(harness, "r\(number)"), at: 0) }
            func page(_ query: String) async throws -> ([String?], Bool?) {
                let answer = try await harness.send("GET", Self.path + query)
                #expect(answer["first_id"]?.string == answer["data"]?.elements?.first?["id"]?.string)
                #expect(answer["last_id"]?.string == answer["data"]?.elements?.last?["id"]?.string)
                return (answer["data"]?.elements?.map { $0["id"]?.string } ?? [], answer["has_more"]?.bool)
            }
            #expect(try await page("") == (ids, false))
            #expect(try await page("?limit=2") == (Array(ids[0...1]), true))
            #expect(try await page("?limit=2&after_id=\(ids[1])") == (Array(ids[2...3]), true))
            #expect(try await page("?limit=2&after_id=\(ids[3])") == ([ids[4]], false))
            #expect(try await page("?limit=2&before_id=\(ids[4])") == (Array(ids[2...3]), true))
            #expect(try await page("?limit=2&before_id=\(ids[2])") == (Array(ids[0...1]), false))
            #expect(try await harness.send("GET", Self.path + "?limit=0").status == 400)
            #expect(try await harness.send("GET", Self.path + "?after_id=x").status == 400)
        }
    }

    @Test("a batch is one of renga's too, in the queue and with the tags that its headers say")
    func ours() async throws {
        try await RealHarness.with { harness in
            let id = try await created(
                harness, "a", "b", headers: ["x-renga-queue": "night", "x-renga-tags": "team-a"])
            #expect(try await harness.send("GET", "/v1/jobs/batches/\(id)")["name"]?.string == id)
            let jobs = try await harness.send("GET", "/v1/jobs?batch_id=\(id)&tag=team-a&queue=night")
            #expect(jobs["data"]?.count == 2)
            let plain = try await created(harness, "a")
            #expect(
                try await harness.send("GET", "/v1/jobs?batch_id=\(plain)&queue=batches")["data"]?.count == 1)
        }
    }

    @Test("no job of a batch outlasts the batch, whatever deadline its caller names")
    func deadlines() async throws {
        for (header, hours) in [("3d", 24), ("1h", 1)] {
            try await RealHarness.with { harness in
                let id = try await created(harness, header, headers: ["x-renga-deadline": header])
                func expired(after duration: Milliseconds) async throws -> Int? {
                    harness.clock.advance(duration)
                    _ = try await harness.store.reap()
                    let batch = try await harness.send("GET", "\(Self.path)/\(id)")
                    return batch["request_counts"]?["expired"]?.int
                }
                #expect(try await expired(after: Int64(hours) * 3_600_000 - 1) == 0)
                #expect(try await expired(after: 1) == 1)
                let results = try await harness.send("GET", "\(Self.path)/\(id)/results")
                #expect(results.text == #"{"custom_id":"\#(header)","result":{"type":"expired"}}"# + "\n")
            }
        }
    }

    @Test("nothing of an ended batch is retried")
    func retries() async throws {
        try await RealHarness.with { harness in
            let id = try await created(harness, "a")
            _ = try await harness.send("POST", "\(Self.path)/\(id)/cancel")
            let jobs = try await harness.send("GET", "/v1/jobs?batch_id=\(id)")
            let job = try #require(jobs["data"]?.elements?.first?["id"]?.string)
            #expect(try await harness.send("POST", "/v1/jobs/\(job)/retry").status == 409)
            // A look beforehand counts what would be changed, not what would be refused.
            for (dry, expected) in [("true", 0), ("false", 0)] {
                let many = try await harness.send(
                    "POST", "/v1/jobs/retry", #"{"state":"cancelled","dry_run":\#(dry)}"#)
                #expect(many["count"]?.int == expected)
            }
        }
    }

    @Test("everything that goes wrong on these paths is said in the provider's shape")
    func words() async throws {
        let harness = Harness(apiKeys: ["secret"])
        let unknown = try await harness.send("GET", Self.path, headers: ["x-api-key": "wrong"])
        #expect(unknown.status == 401 && unknown["error"]?["type"]?.string == "authentication_error")
        let key: Headers = ["authorization": "Bearer secret"]
        let method = try await harness.send("PUT", Self.path, headers: key)
        #expect(method.status == 405 && method["type"]?.string == "error")
        #expect(method["error"]?["type"]?.string == "invalid_request_error")
    }
}
