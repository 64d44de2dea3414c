import Jobs
import Postgres
import StoreRules

/// How long answers took, by minute and route: counted at settlement, read for the state of the whole.
enum Latencies {
    static func call(_ now: Now) -> Call { Call(.latencies, [.integer(firstMinute(now))]) }

    /// Of the routes that answered lately.
    static func read(_ rows: Rows) throws -> [Int64: RouteLatency] {
        var routes: [Int64: [LatencyHistogram.Part: LatencyHistogram]] = [:]
        for row in rows {
            guard let part = LatencyHistogram.Part(rawValue: try row.text(1)) else { continue }
            routes[try row.int64(0), default: [:]][part, default: LatencyHistogram()].add(
                try row.int(3), to: try row.int(2))
        }
        return routes.compactMapValues { RouteLatency($0) }
    }

    static func isStale(_ access: Access, now: Now) throws -> Bool {
        try access.query(.staleLatency, [.integer(firstMinute(now))]).count > 0
    }

    static func prune(_ context: WriteContext) {
        context.run(.pruneLatencies, [.integer(firstMinute(context.now))])
    }

    private static func firstMinute(_ now: Now) -> Int64 {
        (now.timestamp.milliseconds - RouteLatency.window) / AnswerTimes.minute
    }
}

extension Statement {
    fileprivate static let latencies = Statement(
        "latencies",
        """
        SELECT route_id, part, class, sum(answers)::bigint
        FROM latency
        WHERE minute >= $1::bigint
        GROUP BY route_id, part, class
        """, .bigint)
    fileprivate static let staleLatency = Statement(
        "stale-latency", "SELECT minute FROM latency_part WHERE minute < $1::bigint LIMIT 1", .bigint)
    fileprivate static let pruneLatencies = Statement(
        "prune-latencies", "DELETE FROM latency_part WHERE minute < $1::bigint", .bigint)
}
