import Jobs
import SQLite

/// How long answers took, by minute and route: counted at settlement, read for the state of the whole.
enum Latencies {
    private static let minute: Milliseconds = 60_000

    /// A class of times of one minute.
    struct Bin: Hashable {
        let minute: Int64
        let route: Int64
        let part: LatencyHistogram.Part
        let index: Int
    }

    /// Where one answer is counted: all of its time, what of it was waiting, and its call.
    static func bins(
        route: Int64, runnableAt: Timestamp, callMilliseconds: Milliseconds, now: Timestamp
    ) -> [Bin] {
        let all = max(callMilliseconds, now.milliseconds - runnableAt.milliseconds)
        let times: [(LatencyHistogram.Part, Milliseconds)] = [
            (.answer, all), (.waiting, all - callMilliseconds), (.calling, callMilliseconds),
        ]
        return times.map { part, time in
            Bin(
                minute: now.milliseconds / minute, route: route, part: part,
                index: LatencyHistogram.index(of: time))
        }
    }

    static func add(_ answers: Int, to bin: Bin, _ connection: Connection) throws {
        _ = try connection.run(
            """
            INSERT INTO latency (minute, route_id, part, class, answers)
            VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET answers = answers + ?5
            """,
            [
                .integer(bin.minute), .integer(bin.route), .text(bin.part.rawValue), .integer(bin.index),
                .integer(answers),
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
        (now.timestamp.milliseconds - RouteLatency.window) / minute
    }
}
