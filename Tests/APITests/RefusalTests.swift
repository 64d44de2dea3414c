import HTTPServer
import JSON
import Testing

@testable import API

// Apart from the rest because Jobs, too, has a `Refusal`.
@Suite("What the server refuses by itself")
struct RefusalTests {
    @Test("a stranger is told of the key first")
    func stranger() async throws {
        let api = Harness(apiKeys: ["k"]).api
        let head = RequestHead(method: "POST", target: "/v1/jobs/bulk")
        #expect(try await Answer(api.refuse(.bodyTooLarge(limit: 1), head: head)).problem == "unauthorized")
    }

    @Test("has the shape of every problem")
    func refusals() async throws {
        let api = Harness().api
        let cases: [(Refusal, String, Int)] = [
            (.bodyTooLarge(limit: 7), "body-too-large", 413),
            (.headersTooLarge(limit: 7), "headers-too-large", 431),
            (.badPath, "invalid-path", 400), (.badRequest("x"), "invalid-request", 400),
            (.timeout, "timeout", 408),
            (.tooManyConnections, "overloaded", 503), (.overloaded, "overloaded", 503),
        ]
        for (refusal, problem, status) in cases {
            let answer = try await Answer(api.refuse(refusal, head: nil))
            #expect(answer.problem == problem && answer.status == status)
        }
    }
}
