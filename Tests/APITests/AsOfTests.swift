import HTTPServer
import JSON
import Jobs
import Testing

@testable import API

/// What a read replica answers says up to when it has everything.
@Suite struct AsOfTests {
    private static let asOf = Timestamp(milliseconds: 1_700_000_000_500)

    private func harness() async throws -> Harness {
        let harness = Harness()
        let id = try await harness.job(#"{"prompt":"Hi","custom_id":"k"}"#)
        harness.store.finish(id)
        harness.store.change { $0.asOf = Self.asOf }
        return harness
    }

    @Test(arguments: [
        "/v1/jobs", "/v1/jobs?state=succeeded&include=response", "/v1/stats", "/v1/stats?by=model",
    ])
    func `lists and statistics have it`(target: String) async throws {
        let harness = try await harness()
        #expect(try await harness.send("GET", target)["as_of"]?.string == Self.asOf.text)
        harness.store.change { $0.asOf = nil }
        #expect(try await harness.send("GET", target)["as_of"] == nil)
    }

    @Test func `results have it in a header`() async throws {
        let harness = try await harness()
        let answer = try await harness.send("GET", "/v1/results")
        #expect(answer.headers["x-renga-as-of"] == Self.asOf.text && answer.text.contains("positive"))
        harness.store.change { $0.asOf = nil }
        #expect(try await harness.send("GET", "/v1/results").headers["x-renga-as-of"] == nil)
    }

    @Test(arguments: ["/v1/jobs?custom_id=k", "/v1/jobs?state=review", "/v1/queues", "/v1/budgets"])
    func `what was just enqueued, what is reviewed and what holds jobs back comes from the primary`(
        target: String
    ) async throws {
        #expect(try await harness().send("GET", target)["as_of"] == nil)
    }

    @Test func `ready tells of the replica and of what an operator should do`() async throws {
        let harness = Harness()
        let plain = try await harness.send("GET", "/ready")["store"]
        #expect(plain?["read_replica"]?.isNull == true && plain?["cautions"]?.elements?.isEmpty == true)
        let other = Harness()
        other.store.change { state in
            state.cautions = ["snapshots: one is old"]
            state.replica = ReplicaFacts(state: .behind, detail: "it is behind by 7 s", asOf: Self.asOf)
        }
        let store = try await other.send("GET", "/ready")["store"]
        #expect(store?["cautions"]?.elements?.first?.string == "snapshots: one is old")
        #expect(store?["read_replica"]?["state"]?.string == "behind")
        #expect(store?["read_replica"]?["as_of"]?.string == Self.asOf.text)
    }
}
