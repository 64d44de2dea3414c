import HTTPClient
import Jobs
import Testing

/// What a provider's fault is read as and judged, over real connections.
@Suite(.timeLimit(.minutes(1))) struct FaultTests {
    @Test(arguments: Fault.table)
    func `A fault is judged as the table says, however the call is made`(_ fault: Fault) async throws {
        let client = HTTPClient()
        defer { client.shutdown() }
        try await withThrowingTaskGroup { group in
            for kind in fault.calls {
                group.addTask { try await Self.judge(fault, kind, client) }
            }
            try await group.waitForAll()
        }
    }

    private static func judge(_ fault: Fault, _ kind: CallKind, _ client: HTTPClient) async throws {
        let upstream = try Upstream(fault, kind, client)
        let outcome = await upstream.call()
        var random = SystemRandom()
        let decision = Decision.decide(outcome, failures: 0, policy: Judgement.policy, using: &random)
        let expected = Judgement(verdict: fault.verdict, event: fault.event, money: fault.money)
        #expect(Judgement(decision, of: outcome) == expected, "\(kind): \(outcome.result)")
        await upstream.stop()
    }

    @Test func `No two rows of the table have one name`() {
        let names = Fault.table.map(\.name)
        #expect(Set(names).count == names.count && names.count >= 100)
    }
}
