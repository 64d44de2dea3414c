import Jobs
import SQLite
import StoreRules

extension StoredWaits {
    func readyLanes() throws -> [ReadyLane] { try ReadyLane.all(connection) }

    func waitingLanes(limit: Int) throws -> [WaitingLane] {
        try connection.query(
            """
            SELECT lane.id, lane.queue_id, lane.route_id, lane_tally.jobs, (
                SELECT id FROM job WHERE ready = 1 AND lane_id = lane.id ORDER BY rank, id LIMIT 1
            ), lane.kind
            FROM lane_tally
            JOIN lane ON lane.id = lane_tally.lane_id
            WHERE lane_tally.state = 'queued' AND lane_tally.jobs > 0
            ORDER BY lane_tally.jobs DESC
            LIMIT ?1
            """, [.integer(limit)]
        ) { row in
            WaitingLane(
                id: row.int64(0), queue: row.int64(1), route: row.int64(2), jobs: row.int(3),
                head: row.int64OrNil(4), isHalfPrice: LaneKind(rawValue: row.text(5)) == .halfPrice)
        }
    }

    func head(of lane: Int64) throws -> Int64? {
        try connection.queryOne(
            "SELECT id FROM job WHERE ready = 1 AND lane_id = ?1 ORDER BY rank, id LIMIT 1",
            [.integer(lane)], { row in row.int64(0) })
    }

    func readyJobs(of lane: Int64, limit: Int) throws -> Int {
        try connection.queryOne(
            "SELECT count(*) FROM (SELECT 1 FROM job WHERE ready = 1 AND lane_id = ?1 LIMIT ?2)",
            [.integer(lane), .integer(limit)], { row in row.int(0) }) ?? 0
    }

    func readyJobs(ahead job: WaitingJob, limit: Int) throws -> Int {
        try connection.queryOne(
            """
            SELECT count(*)
            FROM (
                SELECT 1 FROM job WHERE ready = 1 AND lane_id = ?1 AND (rank, id) < (?2, ?3) LIMIT ?4
            )
            """, [.integer(job.lane), .integer(job.rank), .integer(job.id), .integer(limit)],
            { row in row.int(0) }) ?? 0
    }

    func ranks(of lane: Int64) throws -> (first: Int64, last: Int64)? {
        guard let first = try rank(of: lane, "min"), let last = try rank(of: lane, "max") else { return nil }
        return (first, last)
    }

    // Both ends in one SELECT would be looked for by reading all of them: https://sqlite.org/optoverview.html#minmax
    private func rank(of lane: Int64, _ end: String) throws -> Int64? {
        let sql = SQL("SELECT \(end)(rank) FROM job WHERE ready = 1 AND lane_id = ?1")
        return try connection.queryOne(sql, [.integer(lane)], { row in row.int64OrNil(0) }) ?? nil
    }

    func queuedJobs(of lane: Int64) throws -> Int {
        try connection.queryOne(
            "SELECT jobs FROM lane_tally WHERE lane_id = ?1 AND state = 'queued'",
            [.integer(lane)], { row in row.int(0) }) ?? 0
    }
}
