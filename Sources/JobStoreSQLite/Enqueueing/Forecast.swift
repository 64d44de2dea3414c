import Jobs
import SQLite

/// Tells when jobs will run: from their place in line, their queue's share and the pace of the bottleneck.
///
/// Bounded work, whatever the length of the line; the answer is an estimate.
struct Forecast {
    let connection: Connection
    let now: Now
    private var knownSlots: Int?
    private var knownLanes: [WorkCheck.ReadyLane]?
    private var weights: [Int64: Int] = [:]

    /// Places are counted up to here; further back they are told from the ranks at both ends of the line.
    private static let countLimit = 500

    /// Ready jobs of a lane are counted up to here; more than all slots of one machine.
    private static let backlogLimit = 10_000

    /// Where a ready job stands.
    struct Place {
        let lane: Int64
        let rank: Int64
        let job: Int64
    }

    init(_ connection: Connection, now: Now) {
        self.connection = connection
        self.now = now
    }

    /// How long until the job's turn comes; nil where nothing is known of the pace.
    mutating func turn(of place: Place, queue: Int64, route: RouteRow) throws -> Milliseconds? {
        guard try rate(queue: queue, route: route) != nil else { return nil }
        return try time(for: try ahead(of: place), queue: queue, route: route)
    }

    /// How long until so many jobs of a queue have begun on a route.
    mutating func time(for jobs: Double, queue: Int64, route: RouteRow) throws -> Milliseconds? {
        guard let rate = try rate(queue: queue, route: route) else { return nil }
        // A century is as good as for ever, and stays a date.
        return Milliseconds(min(jobs / rate * 1000, 3.2e12))
    }

    /// Slots of all workers that live.
    mutating func slots() throws -> Int {
        if let knownSlots { return knownSlots }
        let found =
            try connection.queryOne(
                """
                SELECT coalesce(sum(slots), 0)
                FROM worker
                WHERE stopped = 0 AND is_interactive = 0 AND seen_boot = ?1 AND seen_moment > ?2
                """,
                [
                    .integer(now.moment.boot),
                    .integer(now.moment.milliseconds - WaitReasonResolver.workerPatience),
                ],
                { row in row.int(0) }) ?? 0
        knownSlots = found
        return found
    }

    /// What waits in a lane, and the slots there are for it.
    mutating func backlog(of lane: WorkCheck.ReadyLane) throws -> Backlog {
        let ready =
            try connection.queryOne(
                "SELECT count(*) FROM (SELECT 1 FROM job WHERE ready = 1 AND lane_id = ?1 LIMIT ?2)",
                [.integer(lane.id), .integer(Self.backlogLimit)], { row in row.int(0) }) ?? 0
        return Backlog(ready: ready, slots: try slots(), busy: try busySlots())
    }

    /// Calls in flight of the workers whose slots count.
    private func busySlots() throws -> Int {
        try connection.queryOne(
            """
            SELECT count(*)
            FROM worker
            JOIN attempt ON attempt.worker_id = worker.id AND attempt.status = 'open'
            WHERE worker.stopped = 0 AND worker.is_interactive = 0
            """, [], { row in row.int(0) }) ?? 0
    }

    /// Jobs of the queue a second on the route: its share of the pace, at most what its own limit lets through.
    private mutating func rate(queue: Int64, route: RouteRow) throws -> Double? {
        let slots = try slots()
        guard slots > 0, let pace = route.ledger.pace(slots: slots) else { return nil }
        let queues = Set(try lanes().filter { $0.route == route.id }.map(\.queue)).union([queue])
        let all = try queues.reduce(0) { try $0 + weight(of: $1) }
        var rate = pace.callsPerSecond * Double(try weight(of: queue)) / Double(max(1, all))
        let call = route.ledger.profile.callMilliseconds
        if let limit = try QueueRow.load(queue, connection)?.concurrency, call > 0 {
            rate = min(rate, Double(limit) * 1000 / call)
        }
        return rate > 0 ? rate : nil
    }

    private mutating func lanes() throws -> [WorkCheck.ReadyLane] {
        if let knownLanes { return knownLanes }
        let found = try WorkCheck.readyLanes(connection)
        knownLanes = found
        return found
    }

    private mutating func weight(of queue: Int64) throws -> Int {
        if let known = weights[queue] { return known }
        let row = try QueueRow.load(queue, connection)
        // One that is paused takes nobody's share.
        let weight = row.map { $0.paused ? 0 : $0.weight } ?? 0
        weights[queue] = weight
        return weight
    }

    private func ahead(of place: Place) throws -> Double {
        let counted =
            try connection.queryOne(
                """
                SELECT count(*)
                FROM (
                    SELECT 1 FROM job WHERE ready = 1 AND lane_id = ?1 AND (rank, id) < (?2, ?3) LIMIT ?4
                )
                """,
                [
                    .integer(place.lane), .integer(place.rank), .integer(place.job),
                    .integer(Self.countLimit),
                ],
                { row in row.int(0) }) ?? 0
        guard counted == Self.countLimit, let first = try rank(of: place.lane, "min"),
            let last = try rank(of: place.lane, "max"), last > first
        else { return Double(counted) }
        let queued =
            try connection.queryOne(
                "SELECT jobs FROM lane_tally WHERE lane_id = ?1 AND state = 'queued'",
                [.integer(place.lane)], { row in row.int(0) }) ?? 0
        let part = Double(place.rank - first) / Double(last - first)
        return max(Double(counted), Double(queued) * part)
    }

    private func rank(of lane: Int64, _ end: String) throws -> Int64? {
        let sql = SQL("SELECT \(end)(rank) FROM job WHERE ready = 1 AND lane_id = ?1")
        return try connection.queryOne(sql, [.integer(lane)], { row in row.int64OrNil(0) }) ?? nil
    }
}
