import JSON
import Jobs

/// Batches, queues, routes, attempts and the state of the whole.
extension JSONWriter {
    mutating func batch(_ batch: Batch) {
        let (total, finished) = (batch.counts.total, batch.counts.finished)
        object { writer in
            writer.field("id", batch.id.description)
            writer.field("name", batch.name)
            writer.field("metadata", raw: batch.metadata)
            writer.time("created_at", batch.createdAt)
            writer.counts("counts", batch.counts)
            writer.field("progress", total == 0 ? 0 : Double(finished * 1000 / total) / 1000)
            writer.money("cost_usd", batch.cost)
            writer.money("saved_usd", batch.saved)
            writer.money("unconfirmed_cost_usd", batch.unconfirmedCost)
            writer.field("calls", batch.calls)
            writer.field("cached", batch.cacheHits)
            // What the finished ones cost on average, for all.
            writer.optional("estimate", finished == 0 ? nil : batch.cost) { writer, cost in
                let average = Double(cost.nanodollars) / Double(finished)
                writer.money("cost_usd", Money(nanodollars: Int64(average * Double(total))))
            }
        }
    }

    mutating func queue(_ queue: QueueStatus) {
        object { writer in
            writer.field("name", queue.name)
            writer.field("paused", queue.paused)
            writer.key("held_back")
            writer.array { writer in
                for held in queue.heldBack {
                    writer.object { writer in
                        writer.field("route", held.route)
                        writer.field("reason", held.reason)
                        writer.time("since", held.since)
                    }
                }
            }
            writer.field("concurrency", queue.concurrency)
            writer.field("weight", queue.weight)
            writer.field("check", raw: queue.check)
            let requirement = queue.requirement
            writer.optional("requirements", requirement == QueueRequirement() ? nil : requirement) {
                $0.field("system", $1.system)
                $0.field("check", $1.check)
                $0.field("max_input_tokens", $1.maxInputTokens)
            }
            writer.counts("counts", queue.counts)
            writer.waiting("waiting", queue.waiting)
        }
    }

    mutating func route(_ route: RouteStatus) {
        object { writer in
            writer.field("name", route.name)
            writer.field("endpoint", route.endpoint)
            if route.simulated { writer.field("simulated", true) }
            writer.field("paused", route.paused)
            writer.waitingFor("gate", route.gate)
            writer.key("limits")
            writer.object { writer in
                writer.level("requests", route.requests)
                writer.level("input_tokens", route.inputTokens)
                writer.level("output_tokens", route.outputTokens)
            }
            writer.field("running", route.running)
            writer.field("in_batches", route.inBatches)
            writer.field("succeeded", route.succeeded)
            writer.latency("latency_ms", route.latency)
            writer.optional("bottleneck", route.bottleneck) { writer, bottleneck in
                writer.field("detail", bottleneck.detail)
                writer.field("more_workers_help", bottleneck.moreWorkersHelp)
            }
            writer.waiting("waiting", route.waiting)
        }
    }

    private mutating func latency(_ name: String, _ latency: RouteLatency?) {
        optional(name, latency) { writer, latency in
            writer.field("answers", latency.answers)
            for (part, quantiles) in latency.parts {
                writer.key(part.rawValue)
                writer.object { writer in
                    writer.field("p50", Int(quantiles.p50))
                    writer.field("p95", Int(quantiles.p95))
                    writer.field("p99", Int(quantiles.p99))
                }
            }
        }
    }

    private mutating func level(_ name: String, _ level: RouteStatus.Level?) {
        optional(name, level) { writer, level in
            writer.field("per_minute", level.perMinute)
            writer.field("available", level.available)
        }
    }

    mutating func attempt(_ attempt: Attempt) {
        object { writer in
            writer.field("number", attempt.number)
            writer.field("status", attempt.status.rawValue)
            writer.field("worker", attempt.worker)
            writer.field("route", attempt.route)
            writer.field("fallback", attempt.fallback?.rawValue)
            writer.time("opened_at", attempt.openedAt)
            writer.time("closed_at", attempt.closedAt)
            writer.field("verdict", attempt.verdict)
            writer.field("counted", attempt.counted)
            writer.error("error", attempt.error)
            writer.field("request_id", attempt.requestID)
            writer.usage("usage", attempt.usage)
            writer.money("cost_usd", attempt.cost)
            writer.money("unconfirmed_cost_usd", attempt.unconfirmedCost)
        }
    }

    mutating func worker(_ worker: WorkerStatus) {
        object { writer in
            writer.field("name", worker.name)
            writer.field("slots", worker.slots)
            writer.field("running", worker.running)
            writer.time("started_at", worker.startedAt)
            writer.time("seen_at", worker.seenAt)
            writer.field("alive", worker.alive)
            writer.field("calendar_off_ms", Int(worker.disagreement))
            writer.field("superseded", worker.isSuperseded)
            writer.key("refused_keys")
            writer.array { writer in for words in worker.refusedKeys { writer.string(words) } }
        }
    }

    mutating func spend(_ spend: Spend) {
        object { writer in
            writer.field("day", spend.day)
            writer.field("calls", spend.calls)
            writer.money("cost_usd", spend.cost)
            writer.money("saved_usd", spend.saved)
            writer.money("unconfirmed_cost_usd", spend.unconfirmedCost)
            writer.field("cache_hits", spend.cacheHits)
            writer.usage("usage", spend.usage)
        }
    }
}
