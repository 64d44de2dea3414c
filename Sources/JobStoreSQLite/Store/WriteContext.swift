import Jobs
import SQLite

/// One operation inside the writer's transaction: the connection, the time (of that part of it which runs), and what it
/// changed of the tallies.
///
/// Sums of money end at the largest number: one past it would be no integer any more, and refused, and nothing would settle.
///
/// Tallies are written once, at the end of the operation, inside its savepoint: an operation that is undone takes its
/// tallies with it.
final class WriteContext {
    let connection: Connection
    var now: Now
    let settings: StoreSettings
    var random: any RandomNumberGenerator
    private var lanes: [LaneState: Int] = [:]
    private var batches: [BatchState: Int] = [:]
    private var spends: [LaneDay: SpendDelta] = [:]
    private var tagSpends: [TagDay: SpendDelta] = [:]
    private var latencies: [Latencies.Times: Int] = [:]
    private var batchMoney: [Int64: SpendDelta] = [:]
    /// What is told to `StoreSettings.onEvent` after the commit.
    private(set) var events: [StoredEvent] = []
    /// What is told to `StoreSettings.onNotice` after the commit.
    private(set) var notices: [StateNotice] = []
    private var lastOrder: Int64?
    private var lastJob: Int64?
    private var notedAnswers = 0

    private struct LaneState: Hashable {
        let lane: Int64
        let state: JobState
    }

    private struct BatchState: Hashable {
        let batch: Int64
        let state: JobState
    }

    private struct LaneDay: Hashable {
        let day: Int64
        let lane: Int64
    }

    private struct TagDay: Hashable {
        let day: Int64
        let tag: String
    }

    struct SpendDelta {
        var calls: Int64 = 0
        var cacheHits: Int64 = 0
        var usage = Usage()
        var cost: Int64 = 0
        var saved: Int64 = 0
        var unconfirmedCost: Int64 = 0
        var sharedHits: Int64 = 0
        var sharedSaved: Int64 = 0
        /// What went at half the price, and what the same would have cost at the whole one.
        var batchCalls: Int64 = 0
        var batchCost: Int64 = 0
        var batchFullCost: Int64 = 0
    }

    init(_ connection: Connection, now: Now, settings: StoreSettings) {
        self.connection = connection
        self.now = now
        self.settings = settings
        random = settings.randomness()
    }

    /// Notes that a job went from one state to another; nil for outside.
    func moved(lane: Int64, batch: Int64?, from old: JobState?, to new: JobState?) {
        guard old != new else { return }
        if let old { lanes[LaneState(lane: lane, state: old), default: 0] -= 1 }
        if let new { lanes[LaneState(lane: lane, state: new), default: 0] += 1 }
        guard let batch else { return }
        if let old { batches[BatchState(batch: batch, state: old), default: 0] -= 1 }
        if let new { batches[BatchState(batch: batch, state: new), default: 0] += 1 }
    }

    /// Under the job's lane, and under each of its tags.
    func spent(lane: Int64, job: Int64, _ change: (inout SpendDelta) -> Void) throws {
        let day = now.timestamp.milliseconds / 86_400_000
        change(&spends[LaneDay(day: day, lane: lane), default: SpendDelta()])
        try connection.forEach("SELECT tag FROM job_tag WHERE job_id = ?1", [.integer(job)]) { row in
            change(&tagSpends[TagDay(day: day, tag: row.text(0)), default: SpendDelta()])
        }
    }

    func booked(batch: Int64?, _ change: (inout SpendDelta) -> Void) {
        guard let batch else { return }
        change(&batchMoney[batch, default: SpendDelta()])
    }

    /// Counts how long an answer took.
    func answered(on route: Int64, runnableAt: Timestamp, callMilliseconds: Milliseconds) {
        let times = Latencies.Times(
            route: route, runnableAt: runnableAt, callMilliseconds: callMilliseconds, now: now.timestamp)
        latencies[times, default: 0] += 1
    }

    func happened(_ event: StoredEvent) {
        events.append(event)
    }

    /// Notes an answer that others may have.
    func note(answer: Int64, to hash: [UInt8]) throws {
        _ = try connection.run(
            "INSERT INTO answer_recent (prompt, answer_id) VALUES (substr(?1, 1, 8), ?2)",
            [.blob(hash), .integer(answer)])
        RecentAnswers.of(connection).written()
        notedAnswers += 1
    }

    func noticed(_ notice: StateNotice) {
        notices.append(notice)
    }

    /// A number for a new job or batch: its time, and one more than the last.
    func newJobID() throws -> Int64 {
        let last = try lastJob ?? connection.queryOne("SELECT max(id) FROM job") { row in row.int64(0) } ?? 0
        let id = max(now.timestamp.firstID, last + 1)
        lastJob = id
        return id
    }

    /// A place in the order of finishing, which grows with every commit.
    func nextFinishOrder() throws -> Int64 {
        let last =
            try lastOrder
            ?? connection.queryOne(
                """
                SELECT max(
                    coalesce((SELECT max(finish_order) FROM job WHERE finish_order IS NOT NULL), 0),
                    coalesce((SELECT place FROM finish_watermark), 0)
                )
                """
            ) { row in row.int64(0) } ?? 0
        let order = max(now.timestamp.firstID, last + 1)
        lastOrder = order
        return order
    }

    /// Notes that a place in the order of finishing is left, lest another job gets it.
    func advanceFloor(place: Int64) throws {
        _ = try connection.run(
            """
            INSERT INTO finish_watermark (id, place)
            VALUES (1, ?1)
            ON CONFLICT DO UPDATE SET place = max(place, ?1)
            """, [.integer(place)])
    }

    /// After what this operation did so far was rolled back.
    func forgetTallies() {
        lanes = [:]
        batches = [:]
        spends = [:]
        tagSpends = [:]
        latencies = [:]
        events = []
        notices = []
        batchMoney = [:]
        notedAnswers = 0
    }

    func flush() throws {
        if notedAnswers > 0 { try AnswerIndexMerge(self).goOn(after: notedAnswers) }
        try flushLanes()
        try flushBatches()
        try flushSpends()
        try flushTagSpends()
        for (times, answers) in latencies { try Latencies.add(answers, of: times, connection) }
    }

    /// To the hour is enough for lists.
    private func noteUse(of lane: Int64) throws {
        let time = now.timestamp.milliseconds
        _ = try connection.run(
            "UPDATE lane SET used_at = ?2 WHERE id = ?1 AND used_at < ?3",
            [.integer(lane), .integer(time), .integer(time - 3_600_000)])
    }

    private func flushLanes() throws {
        for lane in Set(lanes.keys.map(\.lane)) { try noteUse(of: lane) }
        for (key, jobs) in lanes where jobs != 0 {
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
        for (key, jobs) in batches where jobs != 0 {
            _ = try connection.run(
                """
                INSERT INTO batch_tally (batch_id, state, jobs)
                VALUES (?1, ?2, ?3)
                ON CONFLICT DO UPDATE SET jobs = jobs + ?3
                """,
                [.integer(key.batch), .text(key.state.rawValue), .integer(jobs)])
        }
        for (batch, money) in batchMoney {
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
        for (key, spend) in spends {
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
        for (key, spend) in tagSpends {
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
