import JSON
import Jobs
import Testing

@testable import renga

/// Money that nobody can account for yet is shown wherever costs are.
@Suite struct MoneyOnPagesTests {
    private func parsed(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

    @Test func `status shows unconfirmed money by day and by model`() throws {
        let stats = try parsed(
            """
            {"counts":{},"spend":[{"day":"2026-11-29","calls":3,"cost_usd":"0.001000","saved_usd":"0.000000",
            "unconfirmed_cost_usd":"0.640000","cache_hits":0}],
            "spend_by":{"model":[{"model":"claude-haiku-4-5","calls":3,"cost_usd":"0.001000","cache_hits":0,
            "saved_usd":"0.000000","unconfirmed_cost_usd":"0.320000"}]}}
            """)
        let page = StatusPage(stats: stats, now: Timestamp(milliseconds: 0)).text
        #expect(page.contains("$0.640000 unconfirmed") && page.contains("$0.320000 unconfirmed"))
    }

    @Test func `show adds up what the attempts of a job may have cost`() throws {
        let attempts = try ["0.100000", "0.000000", "0.250000"].enumerated().map { index, amount in
            try parsed(
                #"{"number":\#(index + 1),"status":"written_off","cost_usd":"0.000000","unconfirmed_cost_usd":"\#(amount)"}"#
            )
        }
        let job = try parsed(#"{"id":"job_1","state":"failed","cost_usd":"0.000000"}"#)
        let page = JobPage(job: job, attempts: attempts, now: Timestamp(milliseconds: 0)).text
        #expect(page.contains("$0.000000  and up to $0.350000 unconfirmed"), "\(page)")
        #expect(page.contains("$0.250000 unconfirmed"))
    }
}
