import HTTPServer
import Jobs
import Telemetry

/// `/metrics`: what `/v1/stats` says, for Prometheus.
extension API {
    func metrics(_ call: Call) async throws -> Response {
        _ = try Parameters(call.head, known: [])
        let text = MetricsText(try await store.stats(), now: call.now)
        return Response(contentType: MetricsText.contentType, bytes: text.bytes)
    }
}

extension MetricsText {
    init(_ stats: Stats, now: Now) {
        self.init()
        queues(stats.queues)
        routes(stats.routes)
        budgets(stats.budgets)
        let alive = stats.workers.filter(\.alive)
        family("renga_workers", .gauge, "Workers heard of lately.") { $0.sample(alive.count) }
        family("renga_worker_slots", .gauge, "Calls that they can have in flight.") { family in
            family.sample(alive.reduce(0) { $0 + $1.slots })
        }
        // Spend is kept by UTC day, so what is reported is today's: it begins at 0 at midnight.
        spend(stats.spend.first { $0.day == now.timestamp.text.prefix(10) })
    }

    private mutating func queues(_ queues: [QueueStatus]) {
        family("renga_jobs", .gauge, "Jobs that are kept, by queue and state.") { family in
            for queue in queues {
                for state in JobState.allCases {
                    family.sample(queue.counts[state], ["queue": queue.name, "state": state.rawValue])
                }
            }
        }
        family("renga_queue_paused", .gauge, "1 while a queue is paused.") { family in
            for queue in queues { family.sample(queue.paused ? 1 : 0, ["queue": queue.name]) }
        }
    }

    private mutating func routes(_ routes: [RouteStatus]) {
        func each(_ family: inout MetricsText, _ value: (RouteStatus) -> Int) {
            for route in routes {
                family.sample(value(route), ["route": route.name, "endpoint": route.endpoint])
            }
        }
        family("renga_route_running", .gauge, "Calls in flight.") { each(&$0, \.running) }
        family("renga_route_succeeded_total", .counter, "Calls that succeeded, ever.") {
            each(&$0, \.succeeded)
        }
        family("renga_route_open", .gauge, "0 while a route is paused or its gate is closed.") { family in
            each(&family) { $0.paused || $0.gate != nil ? 0 : 1 }
        }
        levels("renga_route_limit_per_minute", "The limit as stated or learned.", routes, \.perMinute)
        levels("renga_route_available", "What may be used now; below 0 after a debt.", routes, \.available)
        latencies(routes)
        waiting(routes)
    }

    private mutating func latencies(_ routes: [RouteStatus]) {
        family(
            "renga_route_latency_seconds", .gauge,
            "Quantiles of the last ten minutes: time to answer, and of that waiting and calling."
        ) { family in
            for route in routes {
                for (part, times) in route.latency?.parts ?? [] {
                    for (quantile, time) in [("0.5", times.p50), ("0.95", times.p95), ("0.99", times.p99)] {
                        let labels: KeyValuePairs = [
                            "route": route.name, "endpoint": route.endpoint, "part": part.rawValue,
                            "quantile": quantile,
                        ]
                        family.sample(Double(time) / 1000, labels)
                    }
                }
            }
        }
    }

    private mutating func waiting(_ routes: [RouteStatus]) {
        family("renga_route_waiting", .gauge, "Queued jobs by the gate that the first of them waits at.") {
            family in
            for route in routes {
                // Totals of one gate differ in their words only.
                let gates = Dictionary(
                    route.waiting.map { ($0.waiting.reason.rawValue, $0.jobs) }, uniquingKeysWith: +)
                for (gate, jobs) in gates.sorted(by: { $0.key < $1.key }) {
                    family.sample(
                        jobs, ["route": route.name, "endpoint": route.endpoint, "reason": gate])
                }
            }
        }
    }

    private mutating func levels(
        _ name: String, _ help: String, _ routes: [RouteStatus], _ value: (RouteStatus.Level) -> Int
    ) {
        family(name, .gauge, help) { family in
            for route in routes {
                let meters = [
                    ("requests", route.requests), ("input_tokens", route.inputTokens),
                    ("output_tokens", route.outputTokens),
                ]
                for case (let meter, let level?) in meters {
                    family.sample(
                        value(level), ["route": route.name, "endpoint": route.endpoint, "meter": meter])
                }
            }
        }
    }

    private mutating func budgets(_ budgets: [BudgetStatus]) {
        func each(_ name: String, _ help: String, _ value: (BudgetLedger) -> Double) {
            family(name, .gauge, help) { family in
                for budget in budgets {
                    family.sample(value(budget.ledger), ["budget": budget.ledger.budget.name])
                }
            }
        }
        each("renga_budget_limit_usd", "What may be spent in the present window.") {
            dollars($0.budget.limit)
        }
        each("renga_budget_settled_usd", "What was spent in it.") { dollars($0.settled) }
        each("renga_budget_reserved_usd", "What calls in flight may cost.") { dollars($0.reserved) }
        each("renga_budget_unconfirmed_cost_usd", "What calls may have cost whose answers never came.") {
            dollars($0.unconfirmedCost)
        }
        each("renga_budget_alert_percent", "The highest threshold that was crossed in it.") {
            Double($0.alerted)
        }
    }

    private mutating func spend(_ today: Spend?) {
        family("renga_calls_today", .gauge, "Calls settled since midnight UTC.") {
            $0.sample(today?.calls ?? 0)
        }
        family("renga_cache_hits_today", .gauge, "Jobs answered without a call.") {
            $0.sample(today?.cacheHits ?? 0)
        }
        family("renga_spend_usd_today", .gauge, "What they cost.") { $0.sample(dollars(today?.cost)) }
        family("renga_saved_usd_today", .gauge, "What the cache saved.") { $0.sample(dollars(today?.saved)) }
    }
}

private func dollars(_ money: Money?) -> Double {
    Double(money?.nanodollars ?? 0) / 1e9
}
