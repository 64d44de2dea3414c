import Jobs
import SQLite
import StoreRules

/// How long answers took, by minute and route: counted at settlement, read for the state of the whole.
enum Latencies {
    /// Counts answers that took alike, in one statement.
    static func add(_ answers: Int, of times: AnswerTimes, _ connection: Connection) throws {
        _ = try connection.run(
            """
            INSERT INTO latency (minute, route_id, part, class, answers)
            VALUES (?1, ?2, 'answer', ?3, ?6), (?1, ?2, 'waiting', ?4, ?6), (?1, ?2, 'calling', ?5, ?6)
            ON CONFLICT DO UPDATE SET answers = answers + ?6
            """,
            [
                .integer(times.minute), .integer(times.route), .integer(times.all), .integer(times.waiting),
                .integer(times.calling), .integer(answers),
            ])
    }

    /// Of the routes that answered lately.
    static func find(_ connection: Connection, now: Now) throws -> [Int64: RouteLatency] {
        var routes: [Int64: [LatencyHistogram.Part: LatencyHistogram]] = [:]
        try connection.forEach(
            "SELECT route_id, part, class, sum(answers) FROM latency WHERE minute > ?1 GROUP BY 1, 2, 3",
            [.integer(firstMinute(now) - 1)]
        ) { row in
            guard let part = LatencyHistogram.Part(rawValue: row.text(1)) else { return }
            routes[row.int64(0), default: [:]][part, default: LatencyHistogram()].add(
                row.int(3), to: row.int(2))
        }
        return routes.compactMapValues { RouteLatency($0) }
    }

    static func isStale(_ connection: Connection, now: Now) throws -> Bool {
        try connection.queryOne("SELECT min(minute) FROM latency") { row in row.int64OrNil(0) }
            .flatMap { $0 }.map { $0 < firstMinute(now) } ?? false
    }

    static func prune(_ connection: Connection, now: Now) throws {
        _ = try connection.run("DELETE FROM latency WHERE minute < ?1", [.integer(firstMinute(now))])
    }

    private static func firstMinute(_ now: Now) -> Int64 {
        (now.timestamp.milliseconds - RouteLatency.window) / AnswerTimes.minute
    }
}
