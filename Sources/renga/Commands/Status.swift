import JSON
import Jobs
import System

extension Command {
    static let status = Command(
        name: "status", summary: "show queues, routes, workers, limits and spend",
        flags: [
            Flag("watch", "redraw in place every second"),
            Flag("json", "print JSON, as the API's /v1/stats returns it"),
        ],
        settings: ServerClient.settings, secrets: ServerClient.secrets
    ) { invocation in
        let server = try ServerClient(invocation)
        guard invocation.has("watch") else {
            let stats = try await server.call("GET", path)
            try await show(stats, server, invocation)
            return .done
        }
        var retry = ServerRetry()
        while true {
            let stats = try await retry.trying { try await server.call("GET", path) }
            try await show(stats, server, invocation, on: WatchScreen.ofTerminal)
            try await Task.sleep(for: .seconds(1))
        }
    }

    private static let path = "/v1/stats?by=model,queue,tag"

    private static func show(
        _ stats: JSON, _ server: ServerClient, _ invocation: Invocation, on screen: WatchScreen? = nil
    ) async throws {
        guard !invocation.has("json") else { return try Console.write(Array(stats.raw) + Array("\n".utf8)) }
        let page = StatusPage(stats: stats, now: SystemNow().now().timestamp).text
        let text =
            await server.trouble().map { "NOT READY: \(Text.oneLine($0, limit: 300))\n\n\(page)" } ?? page
        if let screen {
            try Console.draw(text, on: screen)
        } else {
            try Console.print(page: text, paint: .ofTerminal)
        }
    }
}

/// The state of the whole on a page.
struct StatusPage {
    let stats: JSON
    let now: Timestamp

    var text: String {
        let simulated = stats.isTrue("simulated") ? "  (simulated: nothing is paid for)" : ""
        let parts = [
            "jobs: \(counts(stats["counts"]))\(oldest)\(simulated)", section("CALENDARS DISAGREE", dispute),
            section("bottleneck", bottlenecks),
            section("queues", queues),
            section("routes", routes),
            section("workers", workers), section("budgets", budgets),
            section("time to answer (p50 / p95 / p99), last 10 minutes", latencies),
            section("spend by day (UTC)", spend),
            section("spend by model, 31 days", spend(by: "model")),
            section("spend by queue, 31 days", spend(by: "queue")),
            section("spend by tag, 31 days", spend(by: "tag")),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private func section(_ title: String, _ rows: [[String]]) -> String {
        rows.isEmpty ? "" : title + "\n" + Columns.text(rows, indent: 2)
    }

    private func counts(_ counts: JSON?) -> String {
        let parts = JobState.allCases.compactMap { state -> String? in
            let count = counts?.number(state.rawValue) ?? 0
            return count > 0 ? "\(Text.number(count)) \(state.rawValue)" : nil
        }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }

    private var oldest: String {
        guard let time = stats["oldest_ready_at"]?.string.flatMap(Timestamp.init(text:)) else { return "" }
        return "; the oldest ready job has waited for \(Text.duration(now - time))"
    }

    private var queues: [[String]] {
        troubleFirst.map { queue in
            let limit = queue["concurrency"]?.int.map { "at most \($0) at once" } ?? ""
            return [
                queue.text("name"), counts(queue["counts"]), limit,
                queue.isTrue("paused")
                    ? "PAUSED; to go on: renga resume queue \(Shell.quoted(queue.text("name")))"
                    : heldBack(queue) ?? waiting(queue),
            ]
        }
    }

    /// Blocked queues first, then those with work, then the rest: a small window shows the first of them.
    private var troubleFirst: [JSON] {
        let queues = stats["queues"]?.elements ?? []
        func rank(_ queue: JSON) -> Int {
            if queue.isTrue("paused") || heldBack(queue) != nil || blocked(queue) != nil { return 0 }
            return (queue["counts"]?.number("queued") ?? 0) > 0 ? 1 : 2
        }
        return (0...2).flatMap { wanted in queues.filter { rank($0) == wanted } }
    }

    /// What is held back after a run of refusals, with the command that helps.
    private func heldBack(_ queue: JSON) -> String? {
        let held = queue["held_back"]?.elements ?? []
        return held.isEmpty
            ? nil
            : held.map { "HELD BACK: \(Text.oneLine($0.text("reason"), limit: 400))" }.joined(separator: "; ")
    }

    /// When the last of what waits is expected to run.
    private func waiting(_ queue: JSON) -> String {
        let ends = (queue["waiting"]?.elements ?? []).compactMap { total in
            total["estimated_at"]?.string.flatMap(Timestamp.init(text:))
        }
        if let blocked = blocked(queue) { return blocked }
        return ends.max().map { "all started in about \(Text.duration(max(0, $0 - now)))" } ?? ""
    }

    /// What must happen before jobs of the queue run, if no time is known at which they do.
    private func blocked(_ queue: JSON) -> String? {
        let blocked = (queue["waiting"]?.elements ?? []).filter { total in
            total["estimated_at"]?.isNull != false
                && ["breaker", "budget", "provider_spend_limit", "pause"].contains(total.text("reason"))
        }
        guard let most = blocked.max(by: { $0.number("jobs") < $1.number("jobs") }) else { return nil }
        return "\(Text.number(most.number("jobs"))) wait for \(JobText.waiting(most, now, limit: 300))"
    }

    private var bottlenecks: [[String]] {
        (stats["routes"]?.elements ?? []).compactMap { route in
            guard let bottleneck = route["bottleneck"], !bottleneck.isNull else { return nil }
            let advice =
                bottleneck.isTrue("more_workers_help") ? "more workers help" : "more workers will not help"
            return [route.text("name"), "\(bottleneck.text("detail")): \(advice)"]
        }
    }

    /// What keeps a worker from all or some of its work.
    static func trouble(_ worker: JSON) -> String {
        if worker.isTrue("superseded") {
            return "CLAIMS NOTHING: a newer configuration is in force; restart it with that one"
        }
        let offset = worker.number("calendar_off_ms")
        return offset == 0 ? "" : "its calendar is \(Text.offset(Milliseconds(offset))); set its clock"
    }

    /// Calendars that disagree.
    private var dispute: [[String]] {
        guard let dispute = stats["calendar_dispute"], !dispute.isNull else { return [] }
        let offset = Text.offset(Milliseconds(dispute.number("off_ms")))
        return [
            [
                "one is \(offset), without contradiction for \(Text.duration(Milliseconds(dispute.number("age_ms"))))",
                "its process deletes and expires nothing; set the clock, or if it is right, wait until it is accepted",
            ]
        ]
    }

    private var latencies: [[String]] {
        (stats["routes"]?.elements ?? []).compactMap { route in
            guard let latency = route["latency_ms"], !latency.isNull else { return nil }
            let parts = ["answer", "waiting", "calling"].map { part in
                let times = ["p50", "p95", "p99"].map { name in
                    Text.duration(Milliseconds(latency[part]?.number(name) ?? 0))
                }
                return "\(part) \(times.joined(separator: " / "))"
            }
            return [route.text("name")] + parts
        }
    }

    private var routes: [[String]] {
        (stats["routes"]?.elements ?? []).map { route in
            let gate = route["gate"].flatMap { $0.isNull ? nil : JobText.waiting($0, now) }
            let away = route.number("in_batches")
            let batches = away > 0 ? ", \(Text.number(away)) in batches at the provider" : ""
            return [
                route.text("name"), "\(route.number("running")) running" + batches, limits(route["limits"]),
                route.isTrue("paused") ? "PAUSED" : gate ?? "",
            ]
        }
    }

    private func limits(_ limits: JSON?) -> String {
        let names = [("requests", "rpm"), ("input_tokens", "itpm"), ("output_tokens", "otpm")]
        let known = names.compactMap { field, name -> String? in
            guard let level = limits?[field], !level.isNull else { return nil }
            return Self.level(name, level.number("available"), perMinute: level.number("per_minute"))
        }
        return known.isEmpty ? "limits unknown" : known.joined(separator: ", ")
    }

    /// `rpm 12 of 50`; a level below zero is owed, and refills before the next call.
    private static func level(_ name: String, _ available: Int, perMinute: Int) -> String {
        guard available < 0, perMinute > 0 else {
            return "\(name) \(Text.number(available)) of \(Text.number(perMinute))"
        }
        let owed = Int(clamping: available.magnitude)
        let wait = Milliseconds(owed).multipliedSaturated(by: 60_000) / Milliseconds(perMinute)
        return "\(name) over the limit by \(Text.number(owed)), next call in \(Text.duration(wait))"
    }

    private var workers: [[String]] {
        (stats["workers"]?.elements ?? []).map { worker in
            let seen = worker["seen_at"]?.string.flatMap(Timestamp.init(text:)).map {
                Text.duration(now - $0)
            }
            let life = worker.isTrue("alive") ? "alive" : "not heard of for \(seen ?? "a long time")"
            // What is being settled is running, and fills no slot any more.
            let slots = worker.number("slots")
            let taken = min(worker.number("running"), slots)
            let refused = (worker["refused_keys"]?.elements ?? []).compactMap(\.string).joined(
                separator: "; ")
            return [
                worker.text("name"), "\(taken) of \(slots) slots", life,
                [Self.trouble(worker), refused].filter { !$0.isEmpty }.joined(separator: "; "),
            ]
        }
    }

    private var budgets: [[String]] { BudgetText.rows(stats["budgets"]?.elements ?? []) }

    private func spend(by axis: String) -> [[String]] {
        (stats["spend_by"]?[axis]?.elements ?? []).prefix(10).map { share in
            let shared = share.number("shared_hits")
            return [
                share.text(axis), "$" + share.text("cost_usd"), Text.count(share.number("calls"), "call"),
                "\(Text.number(share.number("cache_hits"))) without a call"
                    + (shared > 0 ? " (\(Text.number(shared)) shared a call in flight)" : ""),
                "saved $" + share.text("saved_usd"), unconfirmedCost(share), Self.batches(share),
            ]
        }
    }

    /// What went at half the price, and at which whole one.
    private static func batches(_ share: JSON) -> String {
        let calls = share.number("batch_calls")
        guard calls > 0 else { return "" }
        return
            "\(Text.number(calls)) in batches: $\(share.text("batch_cost_usd")) instead of $\(share.text("batch_whole_price_usd"))"
    }

    /// What calls may have cost whose answers never came.
    private func unconfirmedCost(_ spend: JSON) -> String {
        let amount = spend.text("unconfirmed_cost_usd")
        return BudgetText.isZero(amount) ? "" : "$\(amount) unconfirmed"
    }

    private var spend: [[String]] {
        (stats["spend"]?.elements ?? []).prefix(7).map { day in
            [
                day.text("day"), "$" + day.text("cost_usd"), Text.count(day.number("calls"), "call"),
                "\(Text.number(day.number("cache_hits"))) from the cache, saved $\(day.text("saved_usd"))",
                unconfirmedCost(day),
            ]
        }
    }
}
