import Jobs
import SQLite
import StoreRules

// Tallies are written once, at the end of an operation.
extension WriteContext {
    func flush() throws {
        if notedAnswers > 0 { try AnswerIndexMerge(self).goOn(after: notedAnswers) }
        try flushLanes()
        try flushBatches()
        try flushSpends()
        try flushTagSpends()
        for (times, answers) in tallies.latencies { try Latencies.add(answers, of: times, connection) }
    }

    /// To the hour is enough for lists.
    private func noteUse(of lane: Int64) throws {
        let time = now.timestamp.milliseconds
        _ = try connection.run(
            "UPDATE lane SET used_at = ?2 WHERE id = ?1 AND used_at < ?3",
            [.integer(lane), .integer(time), .integer(time - 3_600_000)])
    }

    private func flushLanes() throws {
        for lane in Set(tallies.lanes.keys.map(\.lane)) { try noteUse(of: lane) }
        for (key, jobs) in tallies.lanes where jobs != 0 {
            _ = try connection.run(
                """
                INSERT INTO lane_tally (lane_id, state, jobs)
                VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET jobs = jobs + ?3
                """,
                [.integer(key.lane), .text(key.state.rawValue), .integer(jobs)])
        }
    }

    private func flushBatches() throws {
        for (key, jobs) in tallies.batches where jobs != 0 {
            _ = try connection.run(
                """
                INSERT INTO batch_tally (batch_id, state, jobs)
                VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET jobs = jobs + ?3
                """,
                [.integer(key.batch), .text(key.state.rawValue), .integer(jobs)])
        }
        for (batch, money) in tallies.batchMoney {
            _ = try connection.run(
                """
                UPDATE batch
                SET cost = min(cost + ?2, 9223372036854775807), saved = min(saved + ?3, 9223372036854775807),
                    calls = calls + ?4, cache_hits = cache_hits + ?5,
                    unconfirmed_cost = min(unconfirmed_cost + ?6, 9223372036854775807)
                WHERE id = ?1
                """,
                [
                    .integer(batch), .integer(money.cost), .integer(money.saved), .integer(money.calls),
                    .integer(money.cacheHits), .integer(money.unconfirmedCost),
                ])
        }
    }

    private func flushSpends() throws {
        for (key, spend) in tallies.spends {
            _ = try connection.run(
                """
                INSERT INTO spend (
                    day, lane_id, calls, cache_hits, input_tokens, output_tokens, cache_write_tokens, cache_read_tokens,
                    cost, saved, unconfirmed_cost, shared_hits, shared_saved, batch_calls, batch_cost, batch_full_cost
                )
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
                ON CONFLICT DO UPDATE SET
                    calls = calls + ?3, cache_hits = cache_hits + ?4, input_tokens = input_tokens + ?5,
                    output_tokens = output_tokens + ?6, cache_write_tokens = cache_write_tokens + ?7,
                    cache_read_tokens = cache_read_tokens + ?8, cost = min(cost + ?9, 9223372036854775807),
                    saved = min(saved + ?10, 9223372036854775807),
                    unconfirmed_cost = min(unconfirmed_cost + ?11, 9223372036854775807), shared_hits = shared_hits + ?12,
                    shared_saved = min(shared_saved + ?13, 9223372036854775807), batch_calls = batch_calls + ?14,
                    batch_cost = min(batch_cost + ?15, 9223372036854775807),
                    batch_full_cost = min(batch_full_cost + ?16, 9223372036854775807)
                """,
                [
                    .integer(key.day), .integer(key.lane), .integer(spend.calls), .integer(spend.cacheHits),
                    .integer(spend.usage.inputTokens), .integer(spend.usage.outputTokens),
                    .integer(spend.usage.cacheWriteTokens), .integer(spend.usage.cacheReadTokens),
                    .integer(spend.cost), .integer(spend.saved), .integer(spend.unconfirmedCost),
                    .integer(spend.sharedHits), .integer(spend.sharedSaved),
                    .integer(spend.batchCalls), .integer(spend.batchCost), .integer(spend.batchFullCost),
                ])
        }
    }

    private func flushTagSpends() throws {
        for (key, spend) in tallies.tagSpends {
            _ = try connection.run(
                """
                INSERT INTO spend_tag (
                    day, tag, calls, cache_hits, cost, saved, unconfirmed_cost, shared_hits, shared_saved, batch_calls, batch_cost,
                    batch_full_cost
                )
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                ON CONFLICT DO UPDATE SET
                    calls = calls + ?3, cache_hits = cache_hits + ?4, cost = min(cost + ?5, 9223372036854775807),
                    saved = min(saved + ?6, 9223372036854775807),
                    unconfirmed_cost = min(unconfirmed_cost + ?7, 9223372036854775807), shared_hits = shared_hits + ?8,
                    shared_saved = min(shared_saved + ?9, 9223372036854775807), batch_calls = batch_calls + ?10,
                    batch_cost = min(batch_cost + ?11, 9223372036854775807),
                    batch_full_cost = min(batch_full_cost + ?12, 9223372036854775807)
                """,
                [
                    .integer(key.day), .text(key.tag), .integer(spend.calls), .integer(spend.cacheHits),
                    .integer(spend.cost),
                    .integer(spend.saved), .integer(spend.unconfirmedCost), .integer(spend.sharedHits),
                    .integer(spend.sharedSaved), .integer(spend.batchCalls), .integer(spend.batchCost),
                    .integer(spend.batchFullCost),
                ])
        }
    }
}
