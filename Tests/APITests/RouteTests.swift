import JSON
import JobStoreSQLite
import Jobs
import Testing

@testable import API

@Suite("Models, aliases and routes")
struct RouteTests {
    private static let haiku = RouteKey(service: .test, model: "claude-haiku-4-5-20251001")
    private let harness = Harness({
        $0.routes = RouteTable(
            routes: [RouteTerms(name: "haiku", key: haiku)], aliases: ["fast": haiku])
        $0.model = "haiku"
    })

    @Test("An alias is sent upstream as the exact model, and shares its prompts' hashes")
    func alias() async throws {
        let asked = try await harness.made(#"{"request":{"model":"fast","messages":[1]}}"#)
        #expect(asked.route == Self.haiku && asked.requestedModel == "fast")
        #expect(try JSON.parse(asked.request)["model"]?.string == Self.haiku.model)
        let exact = try await harness.made(
            #"{"request":{"model":"claude-haiku-4-5-20251001","messages":[1]}}"#)
        #expect(exact.promptHash == asked.promptHash)
    }

    @Test("A job that names no model gets the standard route")
    func standard() async throws {
        let made = try await harness.made(#"{"prompt":"Hi"}"#)
        #expect(made.route == Self.haiku && made.requestedModel == "haiku")
        let answer = try await harness.send("POST", "/v1/jobs", #"{"prompt":"Ho","model":"fast"}"#)
        #expect(answer["requested_model"]?.string == "fast")
        #expect(answer["model"]?.string == Self.haiku.model)
    }

    @Test("A model that no route takes is refused with its place and what was meant")
    func unknown() async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs", #"{"request":{"model":"hiaku","messages":[1]}}"#)
        #expect(answer.status == 400 || answer.status == 422)
        #expect(answer["field"]?.string == "request.model")
        #expect(answer["detail"]?.string?.contains("haiku") == true)
        let prompt = try await harness.send("POST", "/v1/jobs", #"{"prompt":"Hi","model":"gpt"}"#)
        #expect(prompt["field"]?.string == "model")
    }

    @Test("A mending names a model or a route that there is")
    func mending() async throws {
        let id = try await harness.job()
        for set in [#"{"model":"nope"}"#, #"{"route":"nope"}"#] {
            let answer = try await harness.send("POST", "/v1/jobs/\(id)/retry", #"{"set":\#(set)}"#)
            #expect(answer["type"]?.string?.contains("invalid-field") == true, "\(answer.text)")
        }
    }

    @Test("Resuming a route opens its gate and forgets what was used of its limits")
    func resuming() async throws {
        try await RealHarness.with { harness in
            let route = RouteKey(service: .test, model: "claude-haiku-4-5-20251001")
            let window = LimitReport.Window(limit: .max, remaining: 0)
            _ = try await harness.send(
                "POST", "/v1/jobs", #"{"request":{"model":"\#(route.model)","messages":[1]}}"#)
            let claim = try await harness.claim()
            let key = try #require(claim.attempts.first).key
            let error = JobError(type: "rate_limit_error", message: "slow", retryable: true)
            _ = try await harness.store.settle(
                Settlement(
                    key: key, verdict: .wait(error), routeEvent: .rateLimited(retryAfter: 86_400_000),
                    limits: LimitReport(requests: window)))
            let closed = try await harness.send("PATCH", "/v1/routes/\(route.name)", #"{"paused":true}"#)
            #expect(closed["limits"]?["requests"]?["available"]?.int == 0 && closed["gate"]?.isNull == false)
            let resumed = try await harness.send("PATCH", "/v1/routes/\(route.name)", #"{"paused":false}"#)
            #expect(resumed["limits"]?["requests"]?.isNull == true && resumed["gate"]?.isNull == true)
            #expect(try await harness.claim().attempts.count == 1)
        }
    }
}
