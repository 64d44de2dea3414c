import JSON
import Jobs
import Testing

@testable import API

@Suite("Checks and review")
struct CheckTests {
    private func job(_ check: String) -> String { #"{"prompt":"Hi","check":\#(check)}"# }

    @Test("A job's check is kept as it was sent, and its escalations have routes")
    func kept() async throws {
        let harness = Harness()
        let check = #"{"labels":["a"], "on_fail":[{"escalate":"big"},"review"]}"#
        let made = try await harness.made(job(check))
        #expect(made.check?.rules == Array(check.utf8))
        #expect(made.check?.routes == [RouteKey(service: .test, model: "big")])
        #expect(try await harness.made(job("false")).refusesQueueCheck)
        #expect(try await harness.made(#"{"prompt":"Ho"}"#).check == nil)
    }

    @Test(
        "A check that cannot be taken is refused with its field",
        arguments: [
            (#"{"labels":"a"}"#, "invalid-field", "check.labels"), ("7", "invalid-field", "check"),
            (#"{"regex":"a"}"#, "unknown-field", "check.regex"),
            (#"{"schema":{"type":"objekt"}}"#, "invalid-field", "check.schema.type"),
            (#"{"pattern":"(?=a)"}"#, "invalid-field", "check.pattern"),
        ])
    func refused(check: String, problem: String, field: String) async throws {
        let answer = try await Harness().send("POST", "/v1/jobs", job(check))
        #expect(answer.status == 400)
        #expect(answer.problem == problem)
        #expect(answer["field"]?.string == field)
        let list = try await Harness().send("POST", "/v1/jobs", #"{"jobs":[\#(job(check))]}"#)
        #expect(list["field"]?.string == "jobs[0]." + field)
    }

    @Test("A tool's schema that its input cannot be held to is refused at once")
    func tools() async throws {
        let body = #"""
            {"check":{"tool_input":true},
             "request":{"messages":[1],"tools":[{"name":"f","input_schema":{"type":"object","not":{}}}]}}
            """#
        let answer = try await Harness().send("POST", "/v1/jobs", body)
        #expect(answer["field"]?.string == "request.tools[0].input_schema.not")
    }

    @Test("A queue takes a check, and null takes it away")
    func queue() async throws {
        try await RealHarness.with { harness in
            let set = try await harness.send(
                "PATCH", "/v1/queues/q?create=true", #"{"check":{"labels":["a"]}}"#)
            #expect(set["check"]?["labels"]?[0]?.string == "a")
            let shown = try await harness.send("GET", "/v1/queues/q")
            #expect(shown["check"]?.kind == .object)
            let wrong = try await harness.send("PATCH", "/v1/queues/q", #"{"check":{}}"#)
            #expect(wrong["field"]?.string == "check")
            let gone = try await harness.send("PATCH", "/v1/queues/q", #"{"check":null}"#)
            #expect(gone["check"]?.isNull == true)
        }
    }

    @Test("An answer in review is listed with its complaint, and a person's word is the last")
    func review() async throws {
        try await RealHarness.with { harness in
            let made = try await harness.send(
                "POST", "/v1/jobs", job(#"{"labels":["neutral"],"on_fail":"review"}"#))
            let path = "/v1/jobs/" + (made["id"]?.string ?? "")
            #expect(made["check_result"]?.isNull == true)
            let failure = CheckFailure(reason: "not a label", step: .review, used: 1)
            #expect(try await harness.work(.rejected(failure)) == 1)
            let listed = try await harness.send("GET", "/v1/jobs?state=review")
            let job = try #require(listed["data"]?[0])
            #expect(job["check_result"]?["reason"]?.string == "not a label")
            #expect(job["error"]?["type"]?.string == "check_failed")

            let done = try await harness.send(
                "POST", path + "/review", #"{"action":"edit","text":"neutral","note":"clear"}"#)
            #expect(done.status == 200)
            #expect(done["state"]?.string == "succeeded")
            #expect(done["text"]?.string == "neutral")
            #expect(done["check_result"]?["review"]?["action"]?.string == "edit")
            #expect(done["check_result"]?["step"]?.string == "review")
            let again = try await harness.send("POST", path + "/review", #"{"action":"approve"}"#)
            #expect(again.status == 409)
            #expect(again["state"]?.string == "succeeded")
        }
    }

    @Test(
        "A decision that is none is refused",
        arguments: [
            ("{}", "action"), (#"{"action":"maybe"}"#, "action"), (#"{"action":"edit"}"#, "text"),
            (#"{"action":"approve","text":"a"}"#, "text"), (#"{"action":"edit","response":{}}"#, "response"),
            (#"{"action":"edit","text":"a","response":{"content":[]}}"#, "response"),
            (#"{"action":"edit","response":{"content":[{"type":"tool_use"},{"foo":1}],"x":1}}"#, "response"),
            (#"{"action":"reject","why":"no"}"#, "why"),
        ])
    func decisions(body: String, field: String) async throws {
        let harness = Harness()
        let id = try await harness.job()
        let answer = try await harness.send("POST", "/v1/jobs/\(id)/review", body)
        #expect(answer.status == 400)
        #expect(answer["field"]?.string == field)
    }
}
