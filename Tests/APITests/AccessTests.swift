import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("Who may call what")
struct AccessTests {
    let locked = Harness(apiKeys: ["first", "second"])

    @Test("a key is asked for, in words, and either header does")
    func keys() async throws {
        let none = try await locked.send("GET", "/v1/stats")
        #expect(none.status == 401 && none.problem == "unauthorized")
        #expect(none["detail"]?.string?.contains("x-api-key") == true)
        #expect(none.headers["www-authenticate"] != nil)
        #expect(try await locked.send("GET", "/v1/stats", headers: ["X-Api-Key": "wrong"]).status == 401)
        #expect(try await locked.send("GET", "/v1/stats", headers: ["X-Api-Key": "second"]).status == 200)
        #expect(
            try await locked.send("GET", "/v1/stats", headers: ["authorization": "bearer first"]).status
                == 200)
        #expect(
            try await locked.send("GET", "/v1/stats", headers: ["authorization": "Basic first"]).status == 401
        )
    }

    @Test("a stranger learns nothing of what exists, and sends no large bodies")
    func stranger() async throws {
        #expect(try await locked.send("GET", "/nowhere").status == 401)
        #expect(try await locked.send("DELETE", "/v1/jobs").status == 401)
        let bulk = RequestHead(method: "POST", target: "/v1/jobs/bulk")
        #expect(locked.api.policy(for: bulk) == .collect(limit: 64 << 10))
    }

    @Test("health and ready are open")
    func open() async throws {
        let health = try await locked.send("GET", "/health")
        #expect(health["status"]?.string == "ok" && health["version"]?.string == "1.2.3")
        #expect(health["store"]?["engine"]?.string == "fake" && health["simulated"]?.bool == false)
        #expect(try await locked.send("GET", "/ready")["status"]?.string == "ready")
    }

    @Test("a store in trouble makes ready 503 and health degraded, and no path leaks")
    func trouble() async throws {
        locked.store.fail(JobStoreError(.full, "/secret/path"))
        let ready = try await locked.send("GET", "/ready")
        #expect(ready.status == 503 && ready.problem == "not-ready")
        let health = try await locked.send("GET", "/health")
        #expect(health.status == 200 && health["status"]?.string == "degraded")
        #expect(health["problem"]?.string == "store-full")
        let stats = try await locked.send("GET", "/v1/stats", headers: ["x-api-key": "first"])
        #expect(stats.status == 507)
        for answer in [ready, health, stats] { #expect(!answer.text.contains("secret")) }
    }

    @Test("pages of foreign origins change nothing")
    func origins() async throws {
        let harness = Harness({ $0.allowedOrigins = ["https://ok.example"] })
        func post(_ origin: String) async throws -> Int {
            try await harness.send(
                "POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["origin": origin, "host": "127.0.0.1:8080"]
            ).status
        }
        #expect(try await post("https://evil.example") == 403)
        #expect(try await post("https://ok.example") == 202)
        #expect(try await post("http://127.0.0.1:8080") == 202)
    }

    @Test("bodies have the limit of their endpoint")
    func policies() {
        let api = Harness().api
        func policy(_ method: String, _ target: String) -> BodyPolicy {
            api.policy(for: RequestHead(method: method, target: target))
        }
        #expect(policy("POST", "/v1/jobs") == .collect(limit: 64 << 20))
        #expect(policy("POST", "/v1/jobs/bulk") == .stream)
        #expect(policy("PATCH", "/v1/queues/a") == .collect(limit: 64 << 10))
        #expect(policy("POST", "/nowhere") == .collect(limit: 64 << 10))
    }

    @Test("an unknown path is 404, a wrong method 405 with those that are right")
    func paths() async throws {
        let harness = Harness()
        for target in ["/v1", "/v1/jobs/x/y", "/v2/jobs", "/v1/jobs/bulk/x"] {
            #expect(try await harness.send("GET", target).problem == "not-found", "\(target)")
        }
        let wrong = try await harness.send("DELETE", "/v1/jobs")
        #expect(wrong.status == 405 && wrong.headers["allow"] == "POST, GET, HEAD")
        let fixed = try await harness.send("GET", "/v1/jobs/bulk")
        #expect(fixed.status == 405 && fixed.headers["allow"] == "POST")
        #expect(try await harness.send("HEAD", "/v1/jobs").status == 200)
        #expect(try await harness.send("GET", "/")["name"]?.string == "renga")
    }
}
