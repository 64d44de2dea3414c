import Jobs
import Postgres

/// The order in which jobs ended: their transaction's number, and a number within it.
///
/// Numbers of transactions are given out before their commit, so that one which is still open may put jobs before others that can be seen
/// already. So the order is only read below the oldest of those, and what is read never changes.
struct FinishOrder {
    /// What is below it stands.
    let horizon: Int64
    /// The last place that can be seen; 0 if no job has ended.
    let last: Int64

    init(_ access: Access, isOnStandby: Bool = false) throws {
        let row = try access.query(isOnStandby ? .standbyHorizon : .horizon).first
        horizon = try row?.int64(0) ?? 0
        last = try row?.int64(1) ?? 0
    }
}

extension Statement {
    /// A standby's views of the database do not tell which transactions were open, only the oldest of them.
    fileprivate static let standbyHorizon = Statement(
        "standby-horizon",
        """
        SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + order_base) << 20,
            coalesce((SELECT max(finish_order) FROM ended), 0)
        FROM renga
        """)

    /// Transactions of other databases have numbers of the same sequence, but end no jobs here: they are left out if they stand in the way.
    fileprivate static let horizon = Statement(
        "horizon",
        """
        SELECT CASE WHEN seen.last < seen.oldest THEN seen.oldest ELSE (
                coalesce(
                    (
                        SELECT min(open.number::text::bigint)
                        FROM pg_snapshot_xip(pg_current_snapshot()) AS open (number)
                        WHERE NOT EXISTS (
                            SELECT 1
                            FROM pg_locks
                            JOIN pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
                            WHERE pg_locks.locktype = 'transactionid' AND pg_locks.mode = 'ExclusiveLock'
                                AND pg_locks.transactionid::text::bigint = open.number::text::bigint & 4294967295
                                AND pg_stat_activity.datname <> current_database()
                        )
                    ),
                    pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                ) + seen.order_base
            ) << 20 END, seen.last
        FROM (
            SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + order_base) << 20 AS oldest, order_base,
                coalesce((SELECT max(finish_order) FROM ended), 0) AS last
            FROM renga
        ) AS seen
        """)
}
