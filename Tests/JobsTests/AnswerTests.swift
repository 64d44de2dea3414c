import Jobs
import Testing

@Suite struct AnswerTests {
    @Test(arguments: [
        ("end_turn", true), ("stop_sequence", true), ("tool_use", true), ("refusal", false),
        ("max_tokens", false),
        ("model_context_window_exceeded", false), ("pause_turn", false), ("compaction", false),
        ("woke_up", false),
        ("", false),
    ])
    func `Refusals, truncated answers and those that ended in a way that is not known are not for others`(
        stopReason: String, isCacheable: Bool
    ) {
        let answer = Answer(body: [], model: "m", usage: Usage(), stopReason: stopReason)
        #expect(answer.isCacheable == isCacheable)
    }

    @Test func `Cache reads do not count against the input limit`() {
        let usage = Usage(inputTokens: 5, cacheWriteTokens: 7, cacheWrite1hTokens: 3, cacheReadTokens: 100)
        #expect(usage.limitedInputTokens == 12)
    }

    @Test func `A moment of another boot has passed`() {
        let now = Moment(epoch: 1, milliseconds: 1000)
        #expect(Moment(epoch: 1, milliseconds: 1000).hasPassed(at: now))
        #expect(!(now + 1).hasPassed(at: now))
        #expect(Moment(epoch: 2, milliseconds: 5000).hasPassed(at: now))
    }
}
