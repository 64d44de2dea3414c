import Jobs
import SQLite

/// What queued jobs wait for, summed up by queue and by route.
struct WaitingTotals {
    private(set) var queues: [Int64: [WaitingTotal]] = [:]
    private(set) var routes: [Int64: [WaitingTotal]] = [:]
    private(set) var bottlenecks: [Int64: Bottleneck] = [:]

    /// Lanes looked at: the largest ones.
    private static let limit = 200

    private struct Lane {
        let lane: WorkCheck.ReadyLane
        let jobs: Int
        /// The ready job that goes first; nil where all are held.
        let head: Int64?
        let isHalfPrice: Bool
    }

    init(_ connection: Connection, now: Now, settings: StoreSettings) throws {
        var resolver = WaitReasonResolver(connection, now: now, settings: settings)
        let lanes = try Self.lanes(connection)
        for lane in lanes {
            let total =
                try lane.head.flatMap { head in
                    try resolver.total(of: lane.lane, head: head, jobs: lane.jobs)
                } ?? WaitingTotal(waiting: Self.held, jobs: lane.jobs)
            Self.add(total, to: &queues[lane.lane.queue, default: []])
            Self.add(total, to: &routes[lane.lane.route, default: []])
        }
        // Jobs that a worker calls say more of a route than those that wait for a batch.
        for isHalfPrice in [false, true] {
            for lane in lanes where lane.isHalfPrice == isHalfPrice && bottlenecks[lane.lane.route] == nil {
                guard let head = lane.head else { continue }
                bottlenecks[lane.lane.route] = try resolver.bottleneck(of: lane.lane, head: head)
            }
        }
    }

    private static let held = WaitingFor(
        reason: .schedule, detail: "held until their time or for the answer to an identical prompt")

    private static func lanes(_ connection: Connection) throws -> [Lane] {
        try connection.query(
            """
            SELECT lane.id, lane.queue_id, lane.route_id, lane_tally.jobs, (
                SELECT id FROM job WHERE ready = 1 AND lane_id = lane.id ORDER BY rank, id LIMIT 1
            ), lane.budget, lane.kind
            FROM lane_tally
            JOIN lane ON lane.id = lane_tally.lane_id
            WHERE lane_tally.state = 'queued' AND lane_tally.jobs > 0
            ORDER BY lane_tally.jobs DESC
            LIMIT ?1
            """, [.integer(limit)]
        ) { row in
            Lane(
                lane: WorkCheck.ReadyLane(
                    id: row.int64(0), queue: row.int64(1), route: row.int64(2),
                    tags: LaneBudget.tags(of: row.text(5))),
                jobs: row.int(3), head: row.int64OrNil(4),
                isHalfPrice: LaneKind(rawValue: row.text(6)) == .halfPrice)
        }
    }

    private static func add(_ total: WaitingTotal, to totals: inout [WaitingTotal]) {
        let same = totals.firstIndex {
            $0.waiting.reason == total.waiting.reason && $0.waiting.detail == total.waiting.detail
        }
        guard let same else { return totals.append(total) }
        totals[same].jobs += total.jobs
        totals[same].waiting.until = [totals[same].waiting.until, total.waiting.until].compactMap { $0 }.min()
        totals[same].waiting.estimatedAt =
            [totals[same].waiting.estimatedAt, total.waiting.estimatedAt].compactMap { $0 }.max()
    }
}
