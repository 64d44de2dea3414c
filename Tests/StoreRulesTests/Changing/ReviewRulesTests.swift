import Jobs
import StoreRules
import Testing

@Suite struct ReviewRulesTests {
    private let job = ChangeFixture.job(.review, batch: 4, answer: 5)
    private let message = Array(#"{"content":[{"type":"text","text":"no"}],"stop_reason":"refusal"}"#.utf8)

    private func review(_ action: ReviewAction, note: String? = nil) throws -> Delta {
        var delta = Delta()
        try delta.review(job, answer: 5, message: message, action, note: note)
        return delta
    }

    @Test func `an approved answer counts as it is`() throws {
        let delta = try review(.approve)
        guard case .accept(_, .stored(5))? = delta.changes.first else {
            Issue.record("another answer was accepted")
            return
        }
        #expect(ChangeFixture.names(delta) == ["accept", "noteReview"])
        #expect(ChangeFixture.counts(delta) == [.review: -1, .succeeded: 1])
        #expect(delta.tallies.batches.count == 2)
    }

    @Test func `a rewritten answer keeps the message around its text`() throws {
        guard case .accept(_, .edited(let edited, of: 5))? = try review(.rewrite(text: "yes")).changes.first
        else {
            Issue.record("no edited answer was accepted")
            return
        }
        let text = String(decoding: edited, as: UTF8.self)
        #expect(text.contains(#""text":"yes""#) && text.contains(#""stop_reason":"end_turn""#))
    }

    @Test func `a rejected answer fails its job with the person's words`() throws {
        let delta = try review(.reject, note: "wrong")
        guard case .end(_, .failed, let error)? = delta.changes.first else {
            Issue.record("the job did not fail")
            return
        }
        #expect(error?.message == "wrong" && error?.retryable == true)
        #expect(ChangeFixture.counts(delta) == [.review: -1, .failed: 1])
    }
}
