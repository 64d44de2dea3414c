import HTTPClient
import HTTPServer
import JSON
import Jobs
import Telemetry
import Testing

@testable import API

@Suite("The API behind its server", .timeLimit(.minutes(1)))
struct SocketTests {
    /// Serves over a free port; the body gets a function that calls.
    private func serving(
        apiKeys: [String] = [],
        _ body: (FakeStore, API, @escaping @Sendable (String, String, String) async throws -> HTTPResponse)
            async throws -> Void
    ) async throws {
        let harness = Harness(apiKeys: apiKeys)
        let server = HTTPServer(handler: harness.api)
        try server.start()
        let client = HTTPClient(maxConnections: 8)
        let port = server.port
        do {
            try await body(harness.store, harness.api) { method, target, text in
                try await client.send(
                    HTTPRequest(
                        method: method, url: "http://127.0.0.1:\(port)\(target)",
                        headers: [("content-type", "application/json")], body: Array(text.utf8)))
            }
        } catch {
            client.shutdown()
            await server.stop()
            throw error
        }
        client.shutdown()
        await server.stop()
    }

    @Test("every answer carries one request id, and a problem repeats it")
    func requestIDs() async throws {
        try await serving { _, _, call in
            for (method, target) in [
                ("GET", "/health"), ("GET", "/nowhere"), ("GET", "/v1/queues/a%00b"), ("HEAD", "/v1/jobs"),
            ] {
                let answer = try await call(method, target, "")
                let ids = answer.headers.all("request-id")
                #expect(ids.count == 1 && ids[0].hasPrefix("req_"), "\(target)")
                guard answer.status >= 400 else { continue }
                #expect(try JSON.parse(answer.body)["request_id"]?.string == ids[0], "\(target)")
            }
        }
    }

    @Test("what cannot be decoded is refused in the words of its path")
    func words() async throws {
        try await serving { _, _, call in
            for target in ["/v1/models/%00", "/v1/models/a%zz", "/v1/models?after_id=%00"] {
                let answer = try await call("GET", target, "")
                let error = try JSON.parse(answer.body)["error"]
                #expect(
                    answer.status == 400 && error?["type"]?.string == "invalid_request_error", "\(target)")
            }
            let own = try await call("GET", "/v1/queues/a%00b", "")
            #expect(try JSON.parse(own.body)["type"]?.string == "urn:renga:problem:invalid-path")
        }
    }

    @Test("a large upload is taken as a stream and answered line by line")
    func bulk() async throws {
        try await serving { store, _, call in
            let filler = String(repeating: "x", count: 2_000)
            let text = (0..<3_000).map { "{\"custom_id\":\"\($0)\",\"prompt\":\"\(filler)\"}\n" }.joined()
            let answer = try await call("POST", "/v1/jobs/bulk", text)
            #expect(answer.status == 200)
            let lines = try answer.body.split(separator: UInt8(ascii: "\n")).map { try JSON.parse(Array($0)) }
            #expect(lines.count == 3_000)
            #expect(lines.allSatisfy { $0["status"]?.string == "created" })
            #expect(store.look { $0.jobs.count } == 3_000)
            #expect(store.look { $0.portions.allSatisfy { $0 <= 500 } })
        }
    }

    @Test("a stranger's large upload is answered 401")
    func stranger() async throws {
        try await serving(apiKeys: ["k"]) { store, _, call in
            for target in ["/v1/jobs/bulk", "/v1/jobs"] {
                let answer = try await call("POST", target, String(repeating: "x", count: 1 << 20))
                #expect(answer.status == 401, "\(target)")
                #expect(answer.headers["www-authenticate"] != nil)
            }
            #expect(store.look { $0.jobs.isEmpty })
        }
    }

    @Test("results arrive as a stream; broken off where the store fails")
    func results() async throws {
        try await serving { store, _, call in
            for _ in 0..<120 { _ = try await call("POST", "/v1/jobs", #"{"prompt":"x"}"#) }
            for id in store.look({ $0.jobs.keys.sorted() }) { store.finish(id) }
            let whole = try await call("GET", "/v1/results", "")
            #expect(whole.body.count { $0 == UInt8(ascii: "\n") } == 120)
            store.change { $0.resultsBeforeFailure = 1 }
            await #expect(throws: HTTPClientError.self) { try await call("GET", "/v1/results", "") }
        }
    }

    @Test("a caller who hangs up while waiting leaves nothing behind")
    func hangUp() async throws {
        try await serving { store, api, call in
            let waiting = Task { try await call("POST", "/v1/jobs?wait=60", #"{"prompt":"x"}"#) }
            while await api.waiters.count == 0 { await Task.yield() }
            waiting.cancel()
            _ = await waiting.result
            while await api.waiters.count > 0 { await Task.yield() }
            #expect(store.look { $0.jobs.count } == 1)
        }
    }
}
