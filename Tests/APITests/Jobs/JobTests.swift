import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("Jobs, one and many")
struct JobTests {
    let harness = Harness()

    @Test("a finished job has exactly the members that are promised")
    func golden() async throws {
        let id = try await harness.job(
            #"{"custom_id":"ticket-17","tags":["team-a"],"metadata":{"row":17},"request":{"model":"m","max_tokens":64,"messages":[1]}}"#
        )
        harness.store.finish(id)
        let answer = try await harness.send("GET", "/v1/jobs/\(id)")
        let created = Timestamp(milliseconds: id.value >> 20).text
        #expect(
            answer.text == """
                {"id":"\(id)","custom_id":"ticket-17","queue":"default","state":"succeeded","priority":0,"tags":["team-a"],\
                "metadata":{"row":17},"batch_id":null,"cache":"use","processing":"realtime","created_at":"\(created)","run_at":"\(created)",\
                "started_at":null,"finished_at":"2023-11-14T22:13:21.000Z","deadline":null,"attempt":0,\
                "attempts_counted":0,"max_attempts":4,"lease":null,"waiting_for":null,\
                "request":{"model":"m","max_tokens":64,"messages":[1]},"text":"positive",\
                "response":{"content":[{"type":"text","text":"positive"}]},"error":null,\
                "usage":{"input_tokens":21,"output_tokens":4,"cache_creation_input_tokens":0,\
                "cache_read_input_tokens":0},"cost_usd":"0.000041","saved_usd":"0","cached":false,\
                "source_job_id":null,"model":"m","route":"anthropic/m","requested_model":"m"}
                """)
    }

    @Test("jobs of a simulator say so, a running one its lease")
    func simulated() async throws {
        let harness = Harness({
            $0.service.simulated = true
            $0.routes = RouteTable(service: $0.service)
        })
        let id = try await harness.job()
        harness.store.change { state in
            state.jobs[id]?.state = .running
            state.jobs[id]?.lease = Job.Lease(worker: "w1", until: Timestamp(milliseconds: 0))
        }
        let answer = try await harness.send("GET", "/v1/jobs/\(id)")
        #expect(answer["simulated"]?.bool == true)
        #expect(answer["lease"]?["worker"]?.string == "w1")
    }

    @Test(
        "a job that is not known is 404, whatever is asked of it",
        arguments: ["job_0000000000001", "x", "job_"])
    func unknown(id: String) async throws {
        for (method, path) in [("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/attempts")] {
            let answer = try await harness.send(method, "/v1/jobs/\(id)\(path)")
            #expect(answer.status == 404 && answer.problem == "unknown-job", "\(method) \(path)")
        }
    }

    @Test("cancel and retry say the state where they make no sense")
    func changes() async throws {
        let id = try await harness.job()
        #expect(try await harness.send("POST", "/v1/jobs/\(id)/retry")["state"]?.string == "queued")
        #expect(try await harness.send("POST", "/v1/jobs/\(id)/cancel")["state"]?.string == "cancelled")
        let again = try await harness.send("POST", "/v1/jobs/\(id)/cancel", "{}")
        #expect(again.status == 409 && again.problem == "wrong-state")
        #expect(again["state"]?.string == "cancelled")
        let mended = try await harness.send("POST", "/v1/jobs/\(id)/retry", #"{"set":{"model":"m2"}}"#)
        #expect(mended["state"]?.string == "queued" && mended["model"]?.string == "m2")
        let wrong = try await harness.send("POST", "/v1/jobs/\(id)/retry", #"{"set":{"modell":"m2"}}"#)
        #expect(wrong["field"]?.string == "set.modell")
    }

    @Test("attempts are listed")
    func attempts() async throws {
        let id = try await harness.job()
        let answer = try await harness.send("GET", "/v1/jobs/\(id)/attempts")
        #expect(answer["data"]?[0]?["verdict"]?.string == "succeeded")
        #expect(answer["data"]?[0]?["status"]?.string == "settled")
    }

    @Test("a list is newest first, in pages, without bodies")
    func list() async throws {
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try await harness.job().description) }
        var seen: [String] = []
        var target = "/v1/jobs?limit=2"
        var pages = 0
        while pages < 5 {
            let answer = try await harness.send("GET", target)
            pages += 1
            seen += answer["data"]?.elements?.compactMap { $0["id"]?.string } ?? []
            #expect(answer["data"]?[0]?["request"] == nil && answer["data"]?[0]?["text"] == nil)
            guard let cursor = answer["next_cursor"]?.string else { break }
            target = "/v1/jobs?limit=2&cursor=\(cursor)"
        }
        #expect(seen == ids.reversed())
        #expect(pages == 3)
    }

    @Test("bodies come when asked for, and a page of large ones ends early")
    func bodies() async throws {
        let harness = Harness({ $0.limits.pageBytes = 1 })
        for _ in 0..<30 { _ = try await harness.job() }
        let answer = try await harness.send("GET", "/v1/jobs?include=request&limit=25")
        #expect(answer["data"]?.count == 20)
        #expect(answer["data"]?[0]?["request"] != nil && answer["data"]?[0]?["response"] == nil)
        let cursor = try #require(answer["next_cursor"]?.string)
        let rest = try await harness.send("GET", "/v1/jobs?include=request&limit=25&cursor=\(cursor)")
        #expect(rest["data"]?.count == 10)
        #expect(rest["next_cursor"]?.isNull == true)
    }

    @Test("filters narrow a list; a batch that is not known is 404")
    func filters() async throws {
        let id = try await harness.job(#"{"prompt":"x","queue":"a","tags":["t"],"custom_id":"k"}"#)
        _ = try await harness.job()
        for query in ["queue=a", "tag=t", "custom_id=k", "state=queued&queue=a"] {
            let answer = try await harness.send("GET", "/v1/jobs?" + query)
            #expect(answer["data"]?.elements?.compactMap { $0["id"]?.string } == [id.description], "\(query)")
        }
        #expect(try await harness.send("GET", "/v1/jobs?batch_id=none").problem == "unknown-batch")
    }

    @Test("many are cancelled and retried by filter, in portions; a dry run counts")
    func massChanges() async throws {
        let harness = Harness({ $0.limits.changeChunk = 2 })
        for index in 0..<7 {
            _ = try await harness.job(#"{"prompt":"x","queue":"\#(index < 5 ? "a" : "b")"}"#)
        }
        let dry = try await harness.send("POST", "/v1/jobs/cancel", #"{"queue":"a","dry_run":true}"#)
        #expect(dry.text == #"{"count":5,"dry_run":true}"#)
        let real = try await harness.send("POST", "/v1/jobs/cancel", #"{"queue":"a"}"#)
        #expect(real.text == #"{"count":5,"dry_run":false}"#)
        #expect(try await harness.send("POST", "/v1/jobs/cancel", #"{"state":"failed"}"#)["count"]?.int == 0)
        let retried = try await harness.send(
            "POST", "/v1/jobs/retry", #"{"all":true,"set":{"max_tokens":9}}"#)
        #expect(retried["count"]?.int == 5)
    }

    @Test("a change of everything must be asked for in words")
    func massAll() async throws {
        for body in ["{}", #"{"dry_run":true}"#, #"{"all":true,"queue":"a"}"#] {
            #expect(
                try await harness.send("POST", "/v1/jobs/cancel", body).problem == "invalid-field", "\(body)")
        }
        let unknown = try await harness.send("POST", "/v1/jobs/cancel", #"{"stat":"queued"}"#)
        #expect(unknown["detail"]?.string?.contains("“state”") == true)
    }
}
