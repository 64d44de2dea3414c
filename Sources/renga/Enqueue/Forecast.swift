import JSON
import Jobs

/// What so many calls may cost and take, and what that is guessed from.
struct Forecast {
    private let count: DryRun.Count
    private let stats: JSON

    init(_ count: DryRun.Count, _ stats: JSON) {
        self.count = count
        self.stats = stats
    }

    var text: String {
        guard count.new > 0 else { return "cost  nothing: no call is needed" }
        let rows = [
            ["cost", cost], ["", "at most \(Text.dollars(count.atMost)): every answer as long as it may be"],
            ["time", time],
        ]
        return Columns.text(rows)
    }

    private var cost: String {
        let days = stats["spend"]?.elements ?? []
        let calls = days.reduce(0) { $0 + $1.number("calls") }
        let spent = days.reduce(Money.zero) { $0 + (Money(dollars: $1.text("cost_usd")) ?? .zero) }
        guard calls > 0 else { return "no call was made here yet to guess from" }
        let average = Double(spent.nanodollars) / Double(calls)
        let guess = Money(nanodollars: Int64(average * Double(count.new)))
        return "about \(Text.dollars(guess)), if they are like the last \(Text.count(calls, "call")) here"
    }

    /// By the requests per minute where they are known, else by the slots of the workers.
    private var time: String {
        let perMinute = (stats["routes"]?.elements ?? []).compactMap {
            $0["limits"]?["requests"]?["per_minute"]?.int
        }.max()
        if let perMinute, perMinute > 0 {
            let time = Milliseconds(count.new) * 60_000 / Milliseconds(perMinute)
            return "at least \(Text.duration(time)), by \(Text.number(perMinute)) requests per minute"
        }
        let slots = (stats["workers"]?.elements ?? []).filter { $0.isTrue("alive") }.reduce(0) {
            $0 + $1.number("slots")
        }
        guard slots > 0 else { return "no worker is alive: start one with `renga work`" }
        // A short answer of a small model takes about that long.
        let time = Milliseconds(count.new) * 2000 / Milliseconds(slots)
        return "about \(Text.duration(time)), by \(Text.count(slots, "slot")) and 2 s a call"
    }
}
