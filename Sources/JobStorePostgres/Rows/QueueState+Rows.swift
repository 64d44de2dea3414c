import Jobs
import Postgres
import StoreRules

extension QueueState {
    static func load(_ id: Int64, _ access: Access) throws -> QueueState? { try load([id], access).first }

    static func load(_ ids: [Int64], _ access: Access) throws -> [QueueState] {
        guard !ids.isEmpty else { return [] }
        return try read(access.query(calls(ids))[...])
    }

    /// Two statements, whose rows `read` takes.
    static func calls(_ ids: [Int64]) -> [Call] {
        [Call(.queues, [.integerArray(ids)]), Call(.streaksOfQueues, [.integerArray(ids)])]
    }

    static func calls(of attempts: [Value]) -> [Call] {
        [Call(.queuesOfAttempts, attempts), Call(.streaksOfAttempts, attempts)]
    }

    static func read(_ answers: ArraySlice<Rows>) throws -> [QueueState] {
        guard let queues = answers.first, let last = answers.last else { return [] }
        let streaks = try RefusalStreaks.read(last)
        return try queues.map { row in
            var queue = QueueState(
                id: try row.int64(0), name: try row.text(1), paused: try row.bool(2),
                concurrency: try row.intOrNil(3), weight: try row.int(4), running: try row.int(5),
                pass: try row.double(6))
            queue.streaks = streaks[queue.id] ?? RefusalStreaks()
            return queue
        }
    }

    func save(_ context: WriteContext) {
        context.run(.saveQueue, [.integer(id), .integer(running), .real(pass)])
        streaks.save(of: id, context)
    }
}

extension RefusalStreaks {
    static func load(of queue: Int64, _ access: Access) throws -> RefusalStreaks {
        try read(access.query(.streaksOfQueues, [.integerArray([queue])]))[queue] ?? RefusalStreaks()
    }

    fileprivate static func read(_ rows: Rows) throws -> [Int64: RefusalStreaks] {
        var streaks: [Int64: RefusalStreaks] = [:]
        for row in rows {
            streaks[try row.int64(0), default: RefusalStreaks()].load(
                RefusalStreak(
                    signature: try row.text(2), message: try row.text(3), refusals: try row.int(4),
                    askedFrom: try row.momentOrNil(5), trips: try row.int(6), until: try row.momentOrNil(7),
                    heldSince: try row.timestampOrNil(8)),
                on: try row.int64(1), inFlight: try row.int(9))
        }
        return streaks
    }

    func save(of queue: Int64, _ context: WriteContext) {
        for route in changed.sorted() {
            guard let streak = self[route] else {
                Self.delete(of: queue, on: route, context)
                continue
            }
            context.run(
                .saveStreak,
                [
                    .integer(queue), .integer(route), .text(streak.signature), .text(streak.message),
                    .integer(streak.refusals), .integer(streak.askedFrom?.milliseconds),
                    .integer(streak.trips), .integer(streak.until?.milliseconds),
                    .integer(streak.heldSince?.milliseconds),
                ])
        }
    }

    /// Lifts what is held back: of one route, or of all.
    static func delete(of queue: Int64, on route: Int64? = nil, _ context: WriteContext) {
        context.run(.deleteStreaks, [.integer(queue), .integer(route)])
    }
}

extension Statement {
    private static let queueColumns = "id, name, paused, concurrency, weight, running, pass"
    fileprivate static let queues = Statement(
        "queues-by-id",
        assembled: "SELECT \(queueColumns) FROM queue WHERE id = ANY ($1::bigint[])", [.bigints], isKept: true
    )
    fileprivate static let queuesOfAttempts = Statement(
        "queues-of-attempts",
        assembled: """
            SELECT \(queueColumns) FROM queue WHERE id = ANY (\(WantedAttempts.values(of: "attempt.queue_id")))
            """, [.bigints, .bigints], isKept: true)
    fileprivate static let saveQueue = Statement(
        "save-queue",
        "UPDATE queue SET running = $2::bigint, pass = $3::double precision WHERE id = $1::bigint", .bigint,
        .bigint, .double)

    // Interactive jobs are no part of it, nor those that are out with a batch of the provider.
    private static func streaks(of queues: String) -> String {
        """
        SELECT queue_id, route_id, signature, message, refusals, asked_at, trips, until_at, held_since, (
            SELECT coalesce(sum(lane_tally.jobs), 0)::bigint
            FROM lane
            JOIN lane_tally ON lane_tally.lane_id = lane.id
            WHERE lane.queue_id = refusal_streak.queue_id AND lane.route_id = refusal_streak.route_id
                AND lane.kind = 'common' AND lane_tally.state = 'running'
        )
        FROM refusal_streak
        WHERE queue_id = ANY (\(queues))
        """
    }
    fileprivate static let streaksOfQueues = Statement(
        "streaks-of-queues", assembled: streaks(of: "$1::bigint[]"), [.bigints], isKept: true)
    fileprivate static let streaksOfAttempts = Statement(
        "streaks-of-attempts", assembled: streaks(of: WantedAttempts.values(of: "attempt.queue_id")),
        [.bigints, .bigints], isKept: true)

    fileprivate static let saveStreak = Statement(
        "save-streak",
        """
        INSERT INTO refusal_streak (
            queue_id, route_id, signature, message, refusals, asked_at, trips, until_at, held_since
        )
        VALUES ($1::bigint, $2::bigint, $3::text, $4::text, $5::bigint, $6::bigint, $7::bigint, $8::bigint, $9::bigint)
        ON CONFLICT (queue_id, route_id) DO UPDATE
        SET signature = excluded.signature, message = excluded.message, refusals = excluded.refusals,
            asked_at = excluded.asked_at, trips = excluded.trips, until_at = excluded.until_at, held_since = excluded.held_since
        """, .bigint, .bigint, .text, .text, .bigint, .bigint, .bigint, .bigint, .bigint)

    fileprivate static let deleteStreaks = Statement(
        "delete-streaks",
        "DELETE FROM refusal_streak WHERE queue_id = $1::bigint AND ($2::bigint IS NULL OR route_id = $2::bigint)",
        .bigint, .bigint)
}
