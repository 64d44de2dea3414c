import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("What is refused, and how it is said")
struct ValidationTests {
    let harness = Harness()

    @Test(
        "a wrong value is refused with its field",
        arguments: [
            (#""queue":"a b""#, "queue"), (#""queue":"""#, "queue"), (#""queue":7"#, "queue"),
            (#""queue":"a\u0000""#, "queue"), (#""queue":"ä""#, "queue"), (#""custom_id":"""#, "custom_id"),
            (#""custom_id":"a\nb""#, "custom_id"), (#""custom_id":"\u009bx""#, "custom_id"),
            (#""priority":101"#, "priority"),
            (#""priority":1.5"#, "priority"),
            (#""priority":"1""#, "priority"), (#""run_at":"tomorrow""#, "run_at"),
            (#""delay":"-1s""#, "delay"),
            (#""delay":"1 day""#, "delay"), (#""delay":1,"run_at":"2026-11-20T09:00:00Z""#, "delay"),
            (#""deadline":"soon""#, "deadline"), (#""max_attempts":0"#, "max_attempts"),
            (#""max_attempts":101"#, "max_attempts"), (#""cache":"yes""#, "cache"),
            (#""sample":-1"#, "sample"),
            (#""sample":1001"#, "sample"), (#""tags":"a""#, "tags"), (#""tags":["ok",1]"#, "tags[1]"),
            (#""tags":[""]"#, "tags[0]"), (#""metadata":[]"#, "metadata"), (#""metadata":"x""#, "metadata"),
            (#""model":"""#, "model"), (#""max_tokens":0"#, "max_tokens"), (#""system":1"#, "system"),
            (#""request":{"messages":[{}]}"#, "prompt"),
        ])
    func wrongValue(member: String, field: String) async throws {
        let answer = try await harness.send("POST", "/v1/jobs", "{\"prompt\":\"x\",\(member)}")
        #expect(answer.status == 400)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.problem == "invalid-field")
        #expect(answer["field"]?.string == field)
        #expect(answer["request_id"]?.string == "req_test")
        #expect(answer["title"]?.string != nil && answer["detail"]?.string != nil)
    }

    @Test(
        "a wrong request is refused with its field",
        arguments: [
            ("[]", "request"), (#""x""#, "request"), (#"{"messages":{}}"#, "request.messages"),
            (#"{"messages":[]}"#, "request.messages"), (#"{"messages":[{}],"model":7}"#, "request.model"),
            (#"{"messages":[{}],"max_tokens":-1}"#, "request.max_tokens"),
            (#"{"messages":[{}],"max_tokens":"64"}"#, "request.max_tokens"),
        ])
    func wrongRequest(request: String, field: String) async throws {
        let answer = try await harness.send("POST", "/v1/jobs", "{\"request\":\(request)}")
        #expect(answer.problem == "invalid-field")
        #expect(answer["field"]?.string == field)
    }

    @Test("what must not be empty is said to be empty, and what is no array to be none")
    func emptyArrays() async throws {
        for (body, detail) in [
            (#"{"request":{"messages":[]}}"#, "“request.messages” must not be empty"),
            (
                #"{"request":{"messages":{}}}"#,
                "“request.messages” must be an array of messages, not an object"
            ),
            (#"{"jobs":[]}"#, "“jobs” must not be empty"),
            (#"{"jobs":7}"#, "“jobs” must be an array of jobs, not 7"),
        ] {
            let answer = try await harness.send("POST", "/v1/jobs", body)
            #expect(answer.status == 400 && answer["detail"]?.string == detail, "\(answer.text)")
        }
        let chat = try await harness.send("POST", "/v1/chat/completions", #"{"messages":[]}"#)
        #expect(chat["error"]?["message"]?.string == "messages must not be empty", "\(chat.text)")
    }

    @Test("numbers may be written with exponents, as Python writes small ones")
    func exponents() async throws {
        let job = try await harness.made(#"{"prompt":"x","delay":1.5e1,"max_cost_usd":5e-02}"#)
        #expect(job.delay == 15_000 && job.maxCost == Money(nanodollars: 50_000_000))
        #expect(try await harness.made(#"{"prompt":"x","delay":1e-45}"#).delay == 0)
        for wrong in ["\"delay\":-1e1", "\"delay\":1e99", "\"max_cost_usd\":1e-10", "\"max_cost_usd\":1e10"] {
            let answer = try await harness.send("POST", "/v1/jobs", "{\"prompt\":\"x\",\(wrong)}")
            #expect(answer.problem == "invalid-field", "\(wrong)")
        }
    }

    @Test("a call that is no object is refused", arguments: ["[null]", "7", #""x""#, "null", "true"])
    func wrongCall(body: String) throws {
        let head = RequestHead(method: "POST", target: "/v1/messages")
        let now = TestClock().now().timestamp
        var reader = JobParser(SettingsSnapshot(APISettings(service: .test)), now: now)
        let terms = try CallTerms(head, now: now, cache: .off)
        let problem = #expect(throws: Problem.self) { try reader.job(call: JSON.parse(body), terms) }
        #expect(problem?.kind == .invalidField && problem?.field == "body")
    }

    @Test("what a chat leaves out with null is left out")
    func chatNulls() throws {
        let sent =
            #"{"model":null,"messages":[{"role":"user","content":"a"}],"max_tokens":null,"stream":true}"#
        let request = try API.chatRequest(JSON.parse(sent))
        #expect(request["model"] == nil && request["max_tokens"] == nil && request["stream"]?.bool == true)
        #expect(request["messages"]?.count == 1)
    }

    @Test("models are listed by where in their lives they stand, several of which may be named")
    func lives() async throws {
        func count(_ query: String) async throws -> Int {
            let answer = try await harness.send("GET", "/v1/models?limit=1000&\(query)")
            return try #require(answer["data"]?.count)
        }
        let active = try await count("lifecycle%5B%5D=active")
        let both = try await count("lifecycle%5B%5D=active&lifecycle%5B%5D=deprecated")
        #expect(try await both == active + count("lifecycle%5B%5D=deprecated"))
        let wrong = try await harness.send("GET", "/v1/models?lifecycle%5B%5D=alive")
        #expect(wrong.status == 400)
    }

    @Test(
        "a job is refused that may cost more than it may, searches included",
        arguments: [
            (#""max_uses":2"#, "one call may cost $"),
            (#""name":"web_search""#, "set max_uses of web_search"),
        ])
    func tooExpensive(member: String, words: String) async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs",
            #"{"max_cost_usd":"0.019","request":{"messages":[{"role":"user","content":"x"}],"#
                + #""tools":[{"type":"web_search_20250305",\#(member)}]}}"#)
        #expect(answer.status == 422 && answer.problem == "too-expensive")
        #expect(answer["field"]?.string == "max_cost_usd")
        #expect(answer["detail"]?.string?.contains(words) == true)
    }

    @Test("what a job may cost is asked by the price that is stated for its route")
    func statedPrice() async throws {
        let cheap = Price(input: 1, output: 1, cacheWrite5m: 1, cacheWrite1h: 1, cacheRead: 1)
        let route = RouteKey(service: .test, model: "claude-haiku-4-5-20251001")
        let harness = Harness { $0.prices = PriceTable(routes: [route: [.init(price: cheap)]]) }
        let job =
            #"{"model":"claude-haiku-4-5-20251001","prompt":"x","max_tokens":64,"max_cost_usd":"0.000100"}"#
        #expect(try await self.harness.send("POST", "/v1/jobs", job).status == 422)
        #expect(try await harness.send("POST", "/v1/jobs", job).status == 202)
    }

    @Test(
        "a job that failed before its call has the status that says whose fault it was",
        arguments: [
            (JobError.maxCostReached(.zero, spent: .zero, limit: .zero), 402),
            (JobError(type: Breakage.Kind.unsendable.errorType, message: "m", retryable: false), 400),
            (JobError(type: "never_affordable", message: "m", retryable: false), 402),
            (.deadlineExceeded, 504),
        ])
    func statuses(error: JobError, status: Int) {
        #expect(CallFailure(error, job: nil).status == status)
    }

    @Test("limits are told with the refusal")
    func limits() async throws {
        let tags = (0...20).map { "\"\($0)\"" }.joined(separator: ",")
        let tooMany = try await harness.send("POST", "/v1/jobs", #"{"prompt":"x","tags":[\#(tags)]}"#)
        #expect(tooMany["limit"]?.int == 20)
        let large = String(repeating: "a", count: 16 << 10)
        let metadata = try await harness.send(
            "POST", "/v1/jobs", #"{"prompt":"x","metadata":{"a":"\#(large)"}}"#)
        #expect(metadata["limit"]?.int == 16384)
    }

    @Test(
        "an unknown field is refused by name, with the one that was meant",
        arguments: [
            (#"{"prompt":"x","maxAttempts":3}"#, "maxAttempts", "max_attempts"),
            (#"{"prompt":"x","priorty":3}"#, "priorty", "priority"),
            (#"{"prompt":"x","quue":"a"}"#, "quue", "queue"),
        ])
    func unknownField(body: String, field: String, meant: String) async throws {
        let answer = try await harness.send("POST", "/v1/jobs", body)
        #expect(answer.problem == "unknown-field")
        #expect(answer["field"]?.string == field)
        #expect(answer["detail"]?.string?.contains("did you mean “\(meant)”?") == true)
    }

    @Test("an unknown field that resembles nothing gets no suggestion, and a Messages request a hint")
    func noSuggestion() async throws {
        let strange = try await harness.send("POST", "/v1/jobs", #"{"prompt":"x","zzzzzz":3}"#)
        #expect(strange["detail"]?.string == "“zzzzzz” is not a field here")
        let bare = try await harness.send("POST", "/v1/jobs", #"{"model":"m","messages":[]}"#)
        #expect(bare["detail"]?.string?.contains("put the Messages request into “request”") == true)
    }

    @Test("a job needs a request or a prompt, and a request its messages")
    func missing() async throws {
        let empty = try await harness.send("POST", "/v1/jobs", "{}")
        #expect(empty.problem == "missing-field")
        #expect(empty["field"]?.string == "request")
        let bare = try await harness.send("POST", "/v1/jobs", #"{"request":{"model":"m"}}"#)
        #expect(bare["field"]?.string == "request.messages")
    }

    @Test(
        "what is not JSON is refused with the place",
        arguments: [
            "{", "{'a':1}", #"{"prompt":"x",}"#, #"{"prompt":"x"} {"#, #"{"prompt":"x","prompt":"y"}"#,
            #"{"prompt":"\ud800"}"#, #"{"prompt":"x","priority":01}"#, "prompt=x",
        ])
    func notJSON(body: String) async throws {
        let answer = try await harness.send("POST", "/v1/jobs", body)
        #expect(answer.status == 400)
        #expect(answer.problem == "invalid-json")
        #expect(answer["detail"]?.string?.hasPrefix("line 1, column ") == true)
    }

    @Test("bytes that are not UTF-8 are refused")
    func invalidUTF8() async throws {
        let body = Array(#"{"prompt":""#.utf8) + [0xFF] + Array(#""}"#.utf8)
        #expect(try await harness.send("POST", "/v1/jobs", .bytes(body)).problem == "invalid-json")
    }

    @Test("a hundred thousand brackets cost an error and nothing else")
    func deep() async throws {
        let answer = try await harness.send("POST", "/v1/jobs", String(repeating: "[", count: 100_000))
        #expect(answer.problem == "invalid-json")
        #expect(answer["limit"]?.int == 128)
    }

    @Test("no body, and a body that is no object")
    func noObject() async throws {
        #expect(try await harness.send("POST", "/v1/jobs").problem == "missing-body")
        #expect(try await harness.send("POST", "/v1/jobs", "[]").problem == "invalid-field")
        #expect(try await harness.send("POST", "/v1/jobs", "7").problem == "invalid-field")
    }

    @Test("one job has a smaller limit than a list")
    func size() async throws {
        let harness = Harness({ $0.limits.jobBytes = 100 })
        let body = #"{"prompt":"\#(String(repeating: "a", count: 100))"}"#
        let answer = try await harness.send("POST", "/v1/jobs", body)
        #expect(answer.status == 413)
        #expect(answer["limit"]?.int == 100)
    }

    @Test("unknown, repeated and wrong query parameters are refused by name")
    func parameters() async throws {
        let unknown = try await harness.send("GET", "/v1/jobs?limt=3")
        #expect(unknown.problem == "unknown-parameter")
        #expect(unknown["detail"]?.string?.contains("“limit”") == true)
        for query in [
            "limit=1&limit=2", "limit=0", "limit=501", "state=done", "created_after=x", "cursor=x",
            "queue=a%20b",
        ] {
            #expect(
                try await harness.send("GET", "/v1/jobs?" + query).problem == "invalid-parameter", "\(query)")
        }
    }
}
