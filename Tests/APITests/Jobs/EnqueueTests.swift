import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("POST /v1/jobs")
struct EnqueueTests {
    let harness = Harness()

    @Test("takes a job and says where it is")
    func takes() async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs",
            #"""
            {"custom_id":"ticket-17","queue":"q","priority":7,"tags":["team-a"],"metadata":{"row":17},
             "request":{"model":"m","max_tokens":64,"messages":[{"role":"user","content":"Hi"}]}}
            """#)
        let id = try #require(answer["id"]?.string)
        #expect(answer.status == 202)
        #expect(answer.headers["location"] == "/v1/jobs/" + id)
        #expect(answer.headers["request-id"] == "req_test")
        #expect(answer["state"]?.string == "queued")
        #expect(answer["status"]?.string == "created")
        #expect(answer["metadata"]?["row"]?.int == 17)
        #expect(answer["waiting_for"]?["reason"]?.string == "worker")
        #expect(answer["model"]?.string == "m")
        #expect(answer["request"] == nil)
    }

    @Test("a prompt becomes a Messages request with the defaults filled in")
    func prompt() async throws {
        let job = try await harness.made(#"{"prompt":"Say \"hi\"\n","system":"Be brief."}"#)
        let request = try JSON.parse(job.request)
        #expect(request["model"]?.string == "claude-haiku-4-5-20251001")
        #expect(request["max_tokens"]?.int == 1024)
        #expect(request["system"]?.string == "Be brief.")
        #expect(request["messages"]?[0]?["content"]?.string == "Say \"hi\"\n")
        #expect(job.route.name == "anthropic/claude-haiku-4-5-20251001")
        #expect(job.maxTokens == 1024)
    }

    @Test("a complete request stays byte for byte, unknown fields included")
    func verbatim() async throws {
        let request = #"{ "max_tokens":1e0, "x":{"b":1.0,"a":"\u0041"}, "model":"m","messages":[{}] }"#
        let refused = try await harness.send("POST", "/v1/jobs", #"{"request":\#(request)}"#)
        #expect(refused.problem == "invalid-field")
        #expect(refused["field"]?.string == "request.max_tokens")
        let good = request.replacing("1e0", with: "1")
        #expect(
            String(decoding: try await harness.made(#"{"request":\#(good)}"#).request, as: UTF8.self) == good)
    }

    @Test("what a request leaves out is added at its end")
    func added() async throws {
        let job = try await harness.made(#"{"request":{"messages":[{"role":"user","content":"Hi"}] }}"#)
        #expect(
            String(decoding: job.request, as: UTF8.self)
                == #"{"messages":[{"role":"user","content":"Hi"}] ,"model":"claude-haiku-4-5-20251001","max_tokens":1024}"#
        )
    }

    @Test("prompts that differ only in white space and key order share a hash, samples do not")
    func hashes() async throws {
        let a = try await harness.made(
            #"{"request":{"messages":[{"role":"user","content":"Hi"}],"model":"m"}}"#)
        let b = try await harness.made(
            #"{"request": {"model":"m","messages":[{"content":"H\u0069","role":"user"}]}}"#)
        let c = try await harness.made(
            #"{"sample":1,"request":{"messages":[{"role":"user","content":"Hi"}],"model":"m"}}"#)
        #expect(a.promptHash == b.promptHash)
        #expect(a.promptHash != c.promptHash)
    }

    @Test("times, durations and modes reach the store")
    func fields() async throws {
        let job = try await harness.made(
            #"{"prompt":"x","delay":"10m","deadline":90,"max_attempts":9,"cache":"refresh","tags":["a","a","b"]}"#
        )
        #expect(job.delay == 600_000)
        #expect(job.deadline == Timestamp(milliseconds: 1_700_000_090_000))
        #expect(job.maxAttempts == 9)
        #expect(job.cache == .refresh)
        #expect(job.tags == ["a", "b"])
    }

    @Test("null is as good as left out")
    func nulls() async throws {
        let job = try await harness.made(
            #"{"prompt":"x","custom_id":null,"deadline":null,"metadata":null,"cache":null}"#)
        #expect(job.customID == nil && job.deadline == nil && job.metadata == nil && job.cache == .use)
    }

    @Test("a server without a cache takes every job with the cache off")
    func cacheOff() async throws {
        let harness = Harness({ $0.cacheEnabled = false })
        #expect(try await harness.made(#"{"prompt":"x","cache":"use"}"#).cache == .off)
    }

    @Test("a list is taken in order, and as a whole or not at all")
    func list() async throws {
        let good = try await harness.send(
            "POST", "/v1/jobs", #"{"jobs":[{"prompt":"1","custom_id":"a"},{"prompt":"2"}]}"#)
        #expect(good.status == 202)
        #expect(good["data"]?.count == 2)
        #expect(good["data"]?[0]?["custom_id"]?.string == "a")
        let bad = try await harness.send(
            "POST", "/v1/jobs", #"{"jobs":[{"prompt":"3"},{"prompt":"4","custom_id":"a"}]}"#)
        #expect(bad.problem == "custom-id-taken")
        #expect(bad["field"]?.string == "jobs[1].custom_id")
        #expect(harness.store.look { $0.jobs.count } == 2)
    }

    @Test("a mistake in a list is named with its place")
    func listMistake() async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs", #"{"jobs":[{"prompt":"1"},{"prompt":"2","priority":101}]}"#)
        #expect(answer["field"]?.string == "jobs[1].priority")
        #expect(
            answer["detail"]?.string == "“jobs[1].priority” must be a whole number from -100 to 100, not 101")
    }

    @Test("a list beyond the limit is refused with the limit")
    func listLimit() async throws {
        let harness = Harness({ $0.limits.listJobs = 2 })
        let answer = try await harness.send(
            "POST", "/v1/jobs", #"{"jobs":[{"prompt":"1"},{"prompt":"2"},{"prompt":"3"}]}"#)
        #expect(answer.status == 413)
        #expect(answer.problem == "too-many-jobs")
        #expect(answer["limit"]?.int == 2)
    }

    @Test("a batch named in the query is made once and holds the jobs")
    func batch() async throws {
        _ = try await harness.send("POST", "/v1/jobs?batch=nightly", #"{"prompt":"1"}"#)
        let answer = try await harness.send("POST", "/v1/jobs?batch=nightly", #"{"prompt":"2"}"#)
        #expect(answer["batch_id"]?.string?.hasPrefix("batch_") == true)
        #expect(harness.store.look { $0.batches.count } == 1)
    }
}
