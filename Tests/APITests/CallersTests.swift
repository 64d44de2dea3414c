import HTTPServer
import JSON
import Testing

@testable import API

/// One caller must not take the service from the others.
@Suite struct CallersTests {
    @Test func `a caller beyond its requests per minute is told when to come back`() async throws {
        let harness = Harness({ $0.clientRequestsPerMinute = 10 }, apiKeys: ["a", "b"])
        var statuses: [Int] = []
        for _ in 0..<11 {
            statuses.append(try await harness.send("GET", "/v1/jobs", headers: ["x-api-key": "a"]).status)
        }
        #expect(statuses.count { $0 == 200 } == 9)
        let refused = try await harness.send("GET", "/v1/jobs", headers: ["authorization": "Bearer a"])
        #expect(refused.status == 429)
        #expect(refused["type"]?.string == "urn:renga:problem:slow-down")
        #expect(refused.headers["retry-after"].flatMap { Int($0) }.map { (1...60).contains($0) } == true)
        #expect(try await harness.send("GET", "/v1/jobs", headers: ["x-api-key": "b"]).status == 200)
        #expect(try await harness.send("GET", "/health").status == 200)
    }

    @Test func `requests at once are counted until their last byte is sent`() async throws {
        let harness = Harness({ $0.clientRequestsAtOnce = 1 })
        let head = RequestHead(method: "GET", target: "/v1/results", headers: [:])
        var streaming: Response? = await harness.api.respond(to: Request(head: head))
        #expect(streaming?.status == 200)
        #expect(try await harness.send("GET", "/v1/jobs").status == 429)
        streaming = nil
        #expect(try await harness.send("GET", "/v1/jobs").status == 200)
    }

    @Test func `a refusal is in the words of the path`() async throws {
        let harness = Harness({ $0.clientRequestsAtOnce = 1 }, apiKeys: ["a"])
        let messages = try await harness.send("POST", "/v1/messages", "{}")
        #expect(messages.status == 401 && messages["type"]?.string == "error")
        #expect(messages["error"]?["type"]?.string == "authentication_error")
        let completions = try await harness.send("POST", "/v1/chat/completions", "{}")
        #expect(completions["error"]?["message"]?.string?.contains("x-api-key") == true)
        let chat = try await harness.send("POST", "/chat", "{}")
        #expect(chat.status == 401 && chat["error"]?.string?.contains("x-api-key") == true)
        let own = try await harness.send("POST", "/v1/jobs", "{}")
        #expect(own["type"]?.string == "urn:renga:problem:unauthorized")
    }
}

/// What browsers are told.
@Suite struct OriginTests {
    private let harness = Harness({ $0.allowedOrigins = ["https://app.example"] }, apiKeys: ["a"])

    @Test func `a page that may call gets its preflight without a key`() async throws {
        let answer = try await harness.send(
            "OPTIONS", "/chat",
            headers: [
                "origin": "https://app.example", "access-control-request-method": "POST",
                "access-control-request-headers": "content-type, authorization",
            ])
        #expect(answer.status == 204)
        #expect(answer.headers["access-control-allow-origin"] == "https://app.example")
        let allowed = answer.headers["access-control-allow-headers"] ?? ""
        #expect(allowed.contains("content-type") && allowed.contains("authorization"))
        #expect(answer.headers["access-control-allow-methods"]?.contains("POST") == true)
    }

    @Test(arguments: ["GET", "POST"])
    func `its calls may be read, refusals too`(_ method: String) async throws {
        let answer = try await harness.send(method, "/v1/jobs", headers: ["origin": "https://app.example"])
        #expect(answer.status == 401)
        #expect(answer.headers["access-control-allow-origin"] == "https://app.example")
        #expect(answer.headers["vary"] == "Origin")
    }

    @Test(arguments: ["OPTIONS", "POST", "GET"])
    func `others are told nothing`(_ method: String) async throws {
        let answer = try await harness.send(
            method, "/chat",
            headers: [
                "origin": "https://evil.example", "access-control-request-method": "POST", "x-api-key": "a",
            ])
        #expect(answer.status >= 400)
        #expect(answer.headers["access-control-allow-origin"] == nil)
        #expect(answer.headers["access-control-allow-methods"] == nil)
    }
}
