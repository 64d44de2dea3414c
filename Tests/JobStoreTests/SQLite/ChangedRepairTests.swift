import JSON
import Jobs
import Testing

@testable import StoreConformance

@Suite struct ChangedRepairTests {
    @Test func `a change of a queued repair changes what is sent, and what it is known by`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            let attempt = try await ChangeTests.changed(
                #"{"labels":["positive"],"on_fail":["repair"]}"#,
                RetryChange(route: Sample.otherModel, maxTokens: 77), harness)
            let request = try JSON.parse(attempt.request)
            #expect(attempt.route == Sample.otherModel && attempt.maxTokens == 77)
            #expect(request["model"]?.string == Sample.otherModel.model)
            #expect(request["max_tokens"]?.int == 77 && request["messages"]?.count == 3)
            try await harness.succeed(attempt)
            // The answer to the repair is no answer to the prompt alone.
            try await harness.warmUp(Sample.otherModel)
            try await harness.enqueue([
                try Sample.job("one", route: Sample.otherModel) { job in
                    job.request = Array(
                        String(decoding: job.request, as: UTF8.self).replacing(":64,", with: ":77,").utf8)
                    job.promptHash = PromptHash(request: try JSON.parse(job.request))
                }
            ])
            #expect(try await harness.claim().count == 1)
            #expect(
                try harness.rows(
                    """
                    SELECT count(*) FROM answer
                    WHERE job_id = \(attempt.key.job.value) AND prompt_hash = (
                        SELECT prompt_hash FROM job WHERE id = \(attempt.key.job.value)
                    )
                    """) == [1])
        }
    }
}
