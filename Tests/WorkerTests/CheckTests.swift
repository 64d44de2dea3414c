import JSON
import Jobs
import Testing
import Worker

@Suite(.timeLimit(.minutes(1))) struct CheckTests {
    private func settlement(_ rules: String, used: Int = 0) async throws -> Settlement? {
        let body = Array(#"{"content":[{"type":"text","text":"maybe"}]}"#.utf8)
        let harness = StoreHarness(
            FakeCaller { _ in
                Outcome(
                    .answer(
                        Answer(body: body, model: "m", usage: Usage(inputTokens: 3), stopReason: "end_turn")))
            })
        var attempt = harness.attempt(1)
        attempt.check = OpenCheck(rules: Array(rules.utf8), used: used)
        harness.store.add([attempt])
        return try await harness.work {
            #expect(await harness.store.state.reaches { !$0.settled.isEmpty })
            return harness.store.state.now.settled.first
        }
    }

    @Test func `An answer that passes its check is a success`() async throws {
        #expect(try await settlement(#"{"labels":["maybe"]}"#)?.verdict == .succeeded)
    }

    @Test func `An answer that fails is paid for, and settled with what follows`() async throws {
        let settled = try #require(
            try await settlement(#"{"labels":["yes"],"on_fail":["repair","review"]}"#, used: 1))
        guard case .rejected(let failure) = settled.verdict else {
            Issue.record("settled as \(settled.verdict)")
            return
        }
        #expect(failure.step == .review)
        #expect(failure.used == 2)
        #expect(settled.answer?.usage.inputTokens == 3)
        #expect(settled.routeEvent == .succeeded)
    }

    @Test func `A check that cannot be read lets no answer pass`() async throws {
        let settled = try await settlement(#"{"rules of a later version":1}"#)
        #expect(settled?.verdict != .succeeded)
    }
}
