import Telemetry
import Testing

@Suite struct MetricsTests {
    @Test func `the text is what Prometheus reads`() {
        var text = MetricsText()
        text.family("renga_jobs_total", .counter, "Jobs by state.\nAll \\ queues.") { family in
            family.sample(3, ["queue": "default", "state": "succeeded"])
            family.sample(1, ["queue": "say \"hi\"\n\\", "state": "failed"])
        }
        text.family("renga_budget_usd", .gauge, "Left to spend.") { family in
            family.sample(0.25)
            family.sample(-.infinity, ["window": "day"])
            family.sample(2.0, ["window": "month"])
        }
        #expect(
            String(decoding: text.bytes, as: UTF8.self) == #"""
                # HELP renga_jobs_total Jobs by state.\nAll \\ queues.
                # TYPE renga_jobs_total counter
                renga_jobs_total{queue="default",state="succeeded"} 3
                renga_jobs_total{queue="say \"hi\"\n\\",state="failed"} 1
                # HELP renga_budget_usd Left to spend.
                # TYPE renga_budget_usd gauge
                renga_budget_usd 0.25
                renga_budget_usd{window="day"} -Inf
                renga_budget_usd{window="month"} 2

                """#)
    }
}
