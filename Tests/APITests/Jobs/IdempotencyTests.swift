import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

@Suite("Sending the same thing twice")
struct IdempotencyTests {
    let harness = Harness()

    @Test("the same key with the same body returns the job that is there")
    func sameKey() async throws {
        let first = try await harness.send("POST", "/v1/jobs", #"{"custom_id":"a","prompt":"x"}"#)
        let second = try await harness.send("POST", "/v1/jobs", #"{ "prompt":"x", "custom_id":"a" }"#)
        #expect(second.status == 202)
        #expect(second["id"]?.string == first["id"]?.string)
        #expect(second["status"]?.string == "existing")
        #expect(second.headers["idempotent-replayed"] == "true")
    }

    @Test("when it has finished by then, the answer is 200 with the result")
    func finished() async throws {
        let id = try await harness.job(#"{"custom_id":"a","prompt":"x"}"#)
        harness.store.finish(id)
        let again = try await harness.send("POST", "/v1/jobs", #"{"custom_id":"a","prompt":"x"}"#)
        #expect(again.status == 200)
        #expect(again["text"]?.string == "positive")
    }

    @Test("the same key with another body is a conflict that names the job")
    func conflict() async throws {
        let id = try await harness.job(#"{"custom_id":"a","prompt":"x"}"#)
        let answer = try await harness.send("POST", "/v1/jobs", #"{"custom_id":"a","prompt":"y"}"#)
        #expect(answer.status == 409)
        #expect(answer.problem == "custom-id-taken")
        #expect(answer["id"]?.string == id.description)
    }

    @Test("other defaults of the server do not turn a repetition into a conflict")
    func settingsChange() async throws {
        let id = try await harness.job(#"{"custom_id":"a","prompt":"x"}"#)
        let restarted = Harness({ $0.model = "another" }, store: harness.store)
        #expect(try await restarted.job(#"{"custom_id":"a","prompt":"x"}"#) == id)
    }

    @Test("an Idempotency-Key works bare and quoted", arguments: ["k-1", "\"k-1\"", #""k-\1""#])
    func header(second: String) async throws {
        let first = try await harness.send(
            "POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["Idempotency-Key": "k-1"])
        let again = try await harness.send(
            "POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["Idempotency-Key": second])
        #expect(first["id"]?.string == again["id"]?.string)
    }

    @Test("an Idempotency-Key with another body is refused, not retried")
    func mismatch() async throws {
        _ = try await harness.send("POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["Idempotency-Key": "k"])
        let answer = try await harness.send(
            "POST", "/v1/jobs", #"{"prompt":"y"}"#, headers: ["Idempotency-Key": "k"])
        #expect(answer.status == 422)
        #expect(answer.problem == "idempotency-mismatch")
        #expect(answer.headers["x-should-retry"] == "false")
    }

    @Test(
        "an Idempotency-Key has its limits",
        arguments: ["", "\"\"", "a\tb", String(repeating: "k", count: 256)])
    func bounds(key: String) async throws {
        let answer = try await harness.send(
            "POST", "/v1/jobs", #"{"prompt":"x"}"#, headers: ["Idempotency-Key": key])
        #expect(answer.problem == "invalid-header")
        #expect(answer["limit"]?.int == 255)
    }
}
