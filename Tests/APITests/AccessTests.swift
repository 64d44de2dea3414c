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
        #expect(health["store"] == nil && health["simulated"]?.bool == false)
        let ready = try await locked.send("GET", "/ready")
        #expect(ready["status"]?.string == "ready" && ready["store"]?["engine"]?.string == "fake")
    }

    @Test("a store in trouble makes ready 503, health does not ask it, and no path leaks")
    func trouble() async throws {
        locked.store.fail(JobStoreError(.full, "/secret/path"))
        let ready = try await locked.send("GET", "/ready")
        #expect(ready.status == 503 && ready.problem == "not-ready")
        #expect(ready["problem"]?.string == "store-full" && ready["detail"]?.string?.contains("disk") == true)
        let health = try await locked.send("GET", "/health")
        #expect(health.status == 200 && health["status"]?.string == "ok")
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

    /// What a browser sends of a page whose owner lets its name lead to 127.0.0.1.
    @Test(
        "without a key a foreign name reaches nothing but health",
        arguments: [
            "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "128.0.0.1", "[::2]:80", "x",
        ])
    func names(host: String) async throws {
        let harness = Harness()
        for target in ["/v1/jobs", "/v1/stats", "/metrics", "/ready", "/", "/openapi.json", "/nowhere"] {
            let answer = try await harness.send("GET", target, headers: ["host": host])
            #expect(answer.status == 403 && answer.problem == "host-not-allowed", "\(target)")
            #expect(answer["detail"]?.string?.contains("RENGA_ALLOWED_HOSTS") == true)
        }
        for path in ["/v1/messages", "/v1/chat/completions"] {
            #expect(try await harness.send("POST", path, "{}", headers: ["host": host]).status == 403)
        }
        let post = try await harness.send("POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["host": host])
        #expect(post.status == 403 && post.problem == "host-not-allowed")
        #expect(try await harness.send("GET", "/health", headers: ["host": host]).status == 200)
        #expect(harness.api.policy(for: bulk(host)) == .collect(limit: 64 << 10))
        // Who asks for a key needs no name.
        let asked = try await locked.send("GET", "/v1/stats", headers: ["host": host, "x-api-key": "first"])
        #expect(asked.status == 200)
    }

    private func bulk(_ host: String) -> RequestHead {
        RequestHead(method: "POST", target: "/v1/jobs/bulk", headers: ["host": host])
    }

    @Test(
        "names of loopback, the listen address and the setting's are the server's",
        arguments: [
            "localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "a.localhost",
            "renga.lan:1",
            "Renga.LAN.", "10.0.0.7:80", "[fd00::7]:80", "",
        ])
    func ownNames(host: String) async throws {
        let harness = Harness({ $0.allowedHosts = ["renga.lan", "10.0.0.7", "fd00::7"] })
        #expect(try await harness.send("GET", "/v1/stats", headers: ["host": host]).status == 200)
    }

    @Test("without a key a foreign origin reads nothing either")
    func foreignReaders() async throws {
        let harness = Harness({ $0.allowedOrigins = ["https://ok.example"] })
        for origin in ["http://evil.example:8080", "https://evil.example", "null", "file://"] {
            let answer = try await harness.send("GET", "/v1/stats", headers: ["origin": origin])
            #expect(answer.status == 403 && answer.problem == "origin-not-allowed", "\(origin)")
        }
        for origin in ["http://localhost:3000", "http://127.0.0.1:8080", "https://ok.example"] {
            #expect(try await harness.send("GET", "/v1/stats", headers: ["origin": origin]).status == 200)
        }
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
