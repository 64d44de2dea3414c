import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

/// What clients of the providers' SDKs meet.
@Suite struct CompatibleTests {
    private let harness = Harness()

    private func send(_ method: String, path: [String], _ harness: Harness? = nil) async throws -> Answer {
        let head = RequestHead(method: method, path: path, rawPath: "/" + path.joined(separator: "/"))
        return try await Answer((harness ?? self.harness).api.respond(to: Request(head: head)))
    }

    // MARK: Paths

    @Test(arguments: [
        (["v1", "embeddings"], "it serves /v1/messages"), (["v1", "responses"], "/v1/chat/completions"),
        (["v1", "files", "x"], "it serves"), (["v1", "batches"], "/v1/jobs/batches"),
        (["messages"], "lacks /v1"), (["chat", "completions"], "lacks /v1"), (["models"], "lacks /v1"),
        (["v1", "v1", "messages"], "one /v1 too many"),
        (["v1", "v1", "chat", "completions"], "one /v1 too many"),
    ])
    func `a path that is not served is named in the words of both SDKs`(path: [String], words: String)
        async throws
    {
        for method in ["GET", "POST"] {
            let answer = try await send(method, path: path)
            #expect(answer.status == 404)
            #expect(answer.headers["x-should-retry"] == "false")
            #expect(answer["type"]?.string == "error")
            let error = try #require(answer["error"])
            #expect(error["type"]?.string == "not_found_error")
            #expect(error["code"]?.string == "unknown_url" && error["param"]?.isNull == true)
            #expect(error["message"]?.string?.contains(words) == true, "\(error["message"]?.string ?? "")")
        }
    }

    @Test(arguments: [
        ["v1", "messages", ""], ["v1", "chat", "completions", ""], ["v1", "models", ""],
        ["v1", "messages", "batches", ""],
    ])
    func `a slash at the end is named`(path: [String]) async throws {
        let answer = try await send("POST", path: path)
        #expect(answer.status == 404)
        #expect(answer["error"]?["message"]?.string?.contains("slash at its end") == true)
    }

    @Test func `renga's own paths keep their own words`() async throws {
        for path in [["v1", "jobs", "x", "y"], ["v1", "queue"], ["v1"]] {
            let answer = try await send("GET", path: path)
            #expect(answer.status == 404)
            #expect((answer.problem == "not-found") == (path != ["v1", "queue"]))
        }
        #expect(try await send("GET", path: ["v1", "jobs", ""]).problem == "not-found")
    }

    // MARK: What is final

    @Test func `what the same request will meet again is not to be tried again`() async throws {
        let locked = Harness(apiKeys: ["right"])
        let stranger = try await locked.send("POST", "/v1/messages", "{}", headers: ["x-api-key": "wrong"])
        #expect(stranger.status == 401 && stranger.headers["x-should-retry"] == "false")
        for path in ["/v1/messages", "/v1/chat/completions", "/chat"] {
            let wrong = try await harness.send("POST", path, #"{"messages":5}"#)
            #expect(wrong.headers["x-should-retry"] == (wrong.status == 503 ? nil : "false"), "\(path)")
            let method = try await harness.send("PATCH", path)
            #expect(method.status == 405 && method.headers["x-should-retry"] == "false")
        }
        #expect(try await harness.send("GET", "/nowhere").headers["x-should-retry"] == nil)
        let large = harness.api.refuse(
            .bodyTooLarge(limit: 5), head: RequestHead(method: "POST", target: "/v1/messages"))
        #expect(large.status == 413 && large.headers["x-should-retry"] == "false")
    }

    @Test(arguments: [999, 600, 302, 199, 0, -1, Int.max])
    func `an absurd status of the provider is a gateway's for its caller`(status: Int) {
        let error = JobError(type: "invalid_request_error", message: "?", status: status, retryable: true)
        let failure = CallFailure(error, job: nil)
        #expect(failure.status == 502 && failure.type == "api_error")
    }

    @Test func `a deadline of the caller's own is not paid for thrice`() {
        let failure = CallFailure(.deadlineExceeded, job: nil)
        #expect(failure.status == 504 && !failure.isWorthRetrying)
        let response = failure.response(.messages, requestID: "req_1")
        #expect(response.headers["x-should-retry"] == "false")
        #expect(
            CallFailure(JobError(type: "unsendable_request", message: "", retryable: false), job: nil).status
                == 400)
    }

    // MARK: Keys and bodies

    @Test func `the right key counts, in whichever header another one stands`() async throws {
        let locked = Harness({ $0.clientRequestsPerMinute = 100 }, apiKeys: ["right"])
        for headers: Headers in [
            ["x-api-key": "sk-ant-other", "authorization": "Bearer right"],
            ["x-api-key": "right", "authorization": "Bearer sk-other"],
        ] {
            #expect(try await locked.send("GET", "/v1/jobs", headers: headers).status == 200)
            let head = RequestHead(method: "GET", target: "/v1/jobs", headers: headers)
            #expect(try locked.api.admit(head) == "right")
        }
        let wrong: Headers = ["x-api-key": "a", "authorization": "Bearer b"]
        #expect(try await locked.send("GET", "/v1/jobs", headers: wrong).status == 401)
    }

    @Test(arguments: ["gzip", "br", "deflate, gzip"])
    func `a compressed body is named`(encoding: String) async throws {
        let answer = try await harness.send(
            "POST", "/v1/messages", "\u{1F}x", headers: ["content-encoding": encoding])
        #expect(answer.status == 400)
        #expect(answer["error"]?["message"]?.string?.contains(encoding) == true)
        let plain = try await harness.send(
            "POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["content-encoding": "identity"])
        #expect(plain.status == 202)
    }

    // MARK: Models

    @Test func `models have their facts, and no date where none is known`() async throws {
        let haiku = try await harness.send("GET", "/v1/models/claude-haiku-4-5-20251001")
        #expect(haiku["display_name"]?.string == "Claude Haiku 4.5" && haiku["line"]?.string == "haiku")
        #expect(haiku["max_input_tokens"]?.int == 200_000 && haiku["max_tokens"]?.int == 64_000)
        #expect(haiku["created_at"]?.string?.hasPrefix("2025-10-15") == true)
        let opus = try await harness.send("GET", "/v1/models/claude-opus-5-5")
        #expect(opus["created_at"]?.string?.hasPrefix("2026-") == true)
        for model in try await harness.send("GET", "/v1/models?limit=1000")["data"]?.elements ?? [] {
            #expect(model["max_input_tokens"]?.int != nil, "\(model["id"]?.string ?? "")")
        }
    }

    // MARK: State elsewhere

    @Test(arguments: [
        (#""thread":{"type":"create"}"#, false), (#""surprise":1"#, false),
        (#""thinking":{"type":"adaptive"}"#, true),
        (#""max_tokens":0"#, false),
    ])
    func `what lives elsewhere is neither cached nor sent with a batch`(members: String, isShared: Bool)
        async throws
    {
        let messages = #""messages":[{"role":"user","content":"hi"}]"#
        let job = try await harness.made(#"{"request":{\#(messages),\#(members)},"cache":"use"}"#)
        #expect((job.cache == .use) == isShared)
        let half = Harness { $0.halfPrice = HalfPriceTerms(services: [.test]) }
        let refused = try await half.send(
            "POST", "/v1/jobs", #"{"request":{\#(messages),\#(members)},"processing":"batch"}"#)
        #expect(
            (refused.status == 400) == (members.contains("thread") || members.contains(":0")),
            "\(refused.text)")
    }

    // MARK: Waiting

    private static let readers: [([String: String], Milliseconds)] = [
        ([:], 60_000), (["x-stainless-read-timeout": "600"], 60_000),
        (["x-stainless-read-timeout": "30"], 27_000), (["x-stainless-timeout": "10"], 9_000),
        (["x-stainless-timeout": "600", "x-stainless-read-timeout": "5.0"], 4_500),
        (["x-stainless-read-timeout": "NOT_GIVEN"], 60_000), (["x-stainless-read-timeout": "-5"], 60_000),
        (["x-stainless-read-timeout": "0.001"], 100), (["x-stainless-read-timeout": "1e400"], 60_000),
    ]

    @Test(arguments: readers)
    func `a caller hears before it stops reading`(said: [String: String], milliseconds: Milliseconds) {
        var headers = Headers()
        for (name, value) in said { headers.add(name, value) }
        let head = RequestHead(method: "POST", target: "/v1/messages", headers: headers)
        #expect(APISettings(service: .test).patience(of: head) == milliseconds)
    }
}
