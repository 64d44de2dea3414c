import JSON
import Jobs

/// The estimated cost and time of a number of calls, and what the estimate is based on.
struct Forecast {
    private let count: DryRun.Count
    private let stats: JSON

    init(_ count: DryRun.Count, _ stats: JSON) {
        self.count = count
        self.stats = stats
    }

    var text: String {
        guard count.new > 0 else {
            // Lines that would not be taken cost nothing, and nothing is known of what they will cost once they are.
            return count.conflict + count.invalid > 0 ? "" : "cost  nothing, as no call is needed"
        }
        return Columns.text(costs + times)
    }

    private var costs: [[String]] {
        let unknown = count.unpriced.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { reason, jobs in
            "\(reason) (\(Text.count(jobs, "line")))"
        }
        let isAllUnknown = count.unpriced.values.reduce(0, +) == count.new
        let known =
            isAllUnknown
            ? []
            : [
                "about \(Text.dollars(count.about)), estimated from the prompts and the answers so far",
                "maximum \(Text.dollars(count.atMost)), if every answer uses all of max_tokens",
            ]
        return rows("cost", unknown + known)
    }

    private var times: [[String]] {
        let batches =
            count.halfPrice > 0
            ? [
                "\(Text.count(count.halfPrice, "line")) in batches of the provider: within their deadline, often within an hour"
            ]
            : []
        return rows("time", blocked + batches + realtime)
    }

    private func rows(_ title: String, _ lines: [String]) -> [[String]] {
        lines.enumerated().map { [$0.offset == 0 ? title : "", $0.element] }
    }

    /// What must happen before any call: then no time can be estimated.
    private var blocked: [String] {
        (stats["routes"]?.elements ?? []).compactMap { route in
            if route.isTrue("paused") {
                return "\(route.text("name")) is paused: renga resume route \(route.text("name"))"
            }
            guard let gate = route["gate"], !gate.isNull, gate.text("reason") != "rate_limit" else {
                return nil
            }
            return "\(route.text("name")) is closed: \(Text.oneLine(gate.text("detail"), limit: 200))"
        }
    }

    /// By the requests per minute if they are known, else by the slots of the workers.
    private var realtime: [String] {
        let calls = count.new - count.halfPrice
        guard calls > 0, blocked.isEmpty else { return [] }
        let perMinute = (stats["routes"]?.elements ?? []).compactMap {
            $0["limits"]?["requests"]?["per_minute"]?.int
        }.max()
        if let perMinute, perMinute > 0 {
            let time = Milliseconds(calls) * 60_000 / Milliseconds(perMinute)
            return ["at least \(Text.duration(time)), at \(Text.number(perMinute)) requests per minute"]
        }
        let slots = (stats["workers"]?.elements ?? []).filter { $0.isTrue("alive") }.reduce(0) {
            $0 + $1.number("slots")
        }
        guard slots > 0 else { return ["no worker is alive: start one with `renga work`"] }
        // A short answer of a small model takes about that long.
        let rounds = (Milliseconds(calls) + Milliseconds(slots) - 1) / Milliseconds(slots)
        let time = rounds * 2000
        return ["about \(Text.duration(time)), with \(Text.count(slots, "slot")) and 2 s a call"]
    }
}
