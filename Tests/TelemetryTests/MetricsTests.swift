import Telemetry
import Testing

@Suite struct MetricsTests {
    @Test func `the text is what Prometheus reads`() {
        let waits = Histogram(bounds: [0.5, 1, 2.5])
        for value in [0.25, 0.5, 0.75, 2.5, 9, .nan] { waits.observe(value) }
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
        text.family("renga_wait_seconds", .histogram, "Time in line.") {
            $0.sample(waits.snapshot(), ["queue": "q"])
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
                # HELP renga_wait_seconds Time in line.
                # TYPE renga_wait_seconds histogram
                renga_wait_seconds_bucket{queue="q",le="0.5"} 2
                renga_wait_seconds_bucket{queue="q",le="1"} 3
                renga_wait_seconds_bucket{queue="q",le="2.5"} 4
                renga_wait_seconds_bucket{queue="q",le="+Inf"} 5
                renga_wait_seconds_sum{queue="q"} 13
                renga_wait_seconds_count{queue="q"} 5

                """#)
    }

    @Test func `observations from many tasks are all counted`() async {
        let histogram = Histogram()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1_000 { histogram.observe(1) } }
            }
        }
        #expect(histogram.snapshot().cumulativeCounts.last == 8_000)
        #expect(histogram.snapshot().sum == 8_000)
    }
}
