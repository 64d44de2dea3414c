import JSON
import JobStoreSQLite
import Jobs
import Testing

@testable import API

@Suite("What queues require, and what caps bind")
struct QueueTests {
    private static let good = #"{"prompt":"Hi","system":"Be brief."}"#

    @Test("a queue tells what it requires, and a job without it is refused with its mend")
    func require() async throws {
        try await RealHarness.with { harness in
            let before = try await harness.send("PATCH", "/v1/queues/default", #"{"weight":2}"#)
            #expect(before["requirements"]?.isNull == true)
            let set = try await harness.send(
                "PATCH", "/v1/queues/default", #"{"requirements":{"system":true,"max_input_tokens":500}}"#)
            let told = #"{"system":true,"check":false,"max_input_tokens":500}"#
            for queue in [set.json, try await harness.send("GET", "/v1/queues")["data"]?[0]] {
                #expect(queue?["requirements"].map { String(decoding: $0.raw, as: UTF8.self) } == told)
            }
            let none = try await harness.send("POST", "/v1/jobs", #"{"prompt":"Hi"}"#)
            #expect(none.status == 422 && none.problem == "requirement-unmet")
            #expect(none["field"]?.string == "system" && none["queue"]?.string == "default")
            #expect(none["requirement"]?.string == "system")
            #expect(none["detail"]?.string?.contains("say “system”") == true)
            let long = #"{"prompt":"\#(String(repeating: "a", count: 600))","system":"Be brief."}"#
            let list = try await harness.send("POST", "/v1/jobs", #"{"jobs":[\#(Self.good),\#(long)]}"#)
            #expect(list.problem == "requirement-unmet" && list["field"]?.string == "jobs[1].request")
            #expect(list["limit"]?.int == 500 && list["requirement"]?.string == "max_input_tokens")
            #expect(try await harness.send("GET", "/v1/jobs")["data"]?.count == 0)
            #expect(try await harness.send("POST", "/v1/jobs", Self.good).status == 202)
            let freed = try await harness.send("PATCH", "/v1/queues/default", #"{"requirements":null}"#)
            #expect(freed["requirements"]?.isNull == true)
            #expect(try await harness.send("POST", "/v1/jobs", #"{"prompt":"Hi"}"#).status == 202)
        }
    }

    @Test("in a bulk upload each line is refused for itself, and a dry run says so before")
    func bulk() async throws {
        try await RealHarness.with { harness in
            _ = try await harness.send("PATCH", "/v1/queues/default", #"{"requirements":{"system":true}}"#)
            let text = #""Hi""# + "\n" + Self.good + "\n"
            for (query, status) in [("?dry_run=true", "new"), ("", "created")] {
                let lines = try await harness.upload(text, query: query).lines
                #expect(lines.count == 2 && lines[1]["status"]?.string == status)
                let error = try #require(lines[0]["error"])
                #expect(error["type"]?.string?.hasSuffix("requirement-unmet") == true)
                #expect(error["queue"]?.string == "default" && error["field"]?.string == "system")
            }
            let system = try await harness.upload(#""Hi""#, query: "?system=Be%20brief").lines
            #expect(system[0]["status"]?.string == "created")
        }
    }

    @Test(
        "a wrong requirement is refused by its name",
        arguments: [
            (#"{"requirements":{"sytem":true}}"#, "requirements.sytem"),
            (#"{"requirements":{"check":1}}"#, "requirements.check"),
            (#"{"requirements":{"max_input_tokens":0}}"#, "requirements.max_input_tokens"),
            (#"{"requirements":[]}"#, "requirements"),
        ])
    func wrong(body: String, field: String) async throws {
        let answer = try await Harness().send("PATCH", "/v1/queues/q", body)
        #expect(answer.status == 400 && answer["field"]?.string == field, "\(answer.text)")
    }

    @Test("a route at its cap is named as the bottleneck, and so is its gate to the jobs that wait")
    func cap() async throws {
        try await RealHarness.with { harness in
            let route = RouteKey(service: .test, model: APISettings(service: .test).model)
            try await harness.store.configure(route: route, concurrency: 1)
            try await harness.store.configure(route: route, limits: RouteLimits(requests: 1_000))
            for prompt in ["a", "b"] {
                _ = try await harness.send("POST", "/v1/jobs", #"{"prompt":"\#(prompt)"}"#)
            }
            let worker = try await harness.store.register(
                NewWorker(name: "w2", host: "h", processID: 2, slots: 5))
            let claim = try await harness.store.claim(
                ClaimRequest(worker: worker, slots: 5, running: 0, lease: 30_000, services: [.test])
            )
            #expect(claim.attempts.count == 1)
            let routes = try await harness.send("GET", "/v1/routes")["data"]?[0]
            let stats = try await harness.send("GET", "/v1/stats")["routes"]?[0]
            for told in [routes, stats] {
                #expect(told?["bottleneck"]?["detail"]?.string == "calls in flight, 1 of 1")
                #expect(told?["bottleneck"]?["more_workers_help"]?.bool == false)
                #expect(told?["waiting"]?[0]?["reason"]?.string == "concurrency")
            }
            let jobs = try await harness.send("GET", "/v1/jobs?state=queued")
            #expect(jobs["data"]?[0]?["waiting_for"]?["reason"]?.string == "concurrency")
            #expect(
                jobs["data"]?[0]?["waiting_for"]?["detail"]?.string
                    == "1 of 1 calls of the route are in flight")
        }
    }
}
