import Jobs
import Postgres

/// What of a server's state slows the queue down or threatens it, by its own views.
package struct ServerHealth: Sendable {
    /// A small table from which every job's row is deleted.
    struct Table {
        let name: String
        let live: Int64
        let dead: Int64
        /// Since it was last cleared; nil for never.
        let seconds: Int64?
    }

    /// Something that keeps dead rows from being cleared.
    struct Holder {
        /// For people, with the cure.
        let words: String
        let cure: String
        /// How long, or for how many transactions; a replication slot tells no time.
        let seconds: Int64?
        let transactions: Int64

        var isOld: Bool {
            seconds.map { $0 >= ServerHealth.oldSeconds } ?? (transactions >= ServerHealth.oldTransactions)
        }
    }

    struct Standby {
        let name: String
        let state: String
        /// Nil if the role may not see it.
        let bytes: Int64?
        let seconds: Int64?
    }

    /// A slot that nobody reads keeps the log.
    struct Slot {
        let name: String
        let bytes: Int64
    }

    var tables: [Table] = []
    var holders: [Holder] = []
    var standbys: [Standby] = []
    var idleSlots: [Slot] = []
    var naptimeSeconds: Int64 = 60

    static let oldSeconds: Int64 = 300
    static let oldTransactions: Int64 = 100_000
    /// Four times what has autovacuum begin: claims pass by all of them.
    static let manyDead: Int64 = 200_000
    static let farBehind: Int64 = 256 << 20
    static let longBehind: Int64 = 30
    static let muchLog: Int64 = 1 << 30
    static let longNap: Int64 = 15
}

// MARK: What it means

extension ServerHealth {
    package struct Remark: Sendable, Equatable {
        package var subject: String
        package var text: String
        /// Whether something is to be done.
        package var isCaution: Bool
    }

    package var remarks: [Remark] { [snapshots, bloat, nap, replication].flatMap(\.self) }

    /// The same for `/ready`: only what asks for something.
    package var cautions: [String] { remarks.filter(\.isCaution).map { "\($0.subject): \($0.text)" } }

    private var old: [Holder] { holders.filter(\.isOld) }

    private var snapshots: [Remark] {
        guard !old.isEmpty else { return [fine("snapshots", "none is older than five minutes")] }
        return old.map { holder in
            let age = holder.seconds.map { "for \($0) s" } ?? "for \(holder.transactions) transactions"
            return caution(
                "snapshots",
                "\(holder.words) has kept its view of the database \(age), and nothing that is deleted since is cleared: \(holder.cure)"
            )
        }
    }

    private var bloat: [Remark] {
        let swollen = tables.filter { $0.dead > Self.manyDead && $0.dead > 2 * $0.live }
        guard !swollen.isEmpty else {
            let counts = tables.map { "\($0.name) \($0.dead) beside \($0.live)" }
            return [fine("dead rows", counts.isEmpty ? "no tables yet" : counts.joined(separator: ", "))]
        }
        return swollen.map { table in
            let since = table.seconds.map { "it was last cleared \($0) s ago" } ?? "it was never cleared"
            let cure =
                old.isEmpty
                ? "run VACUUM \(table.name), and set autovacuum_naptime = 10s in the server's settings (it is \(naptimeSeconds) s)"
                : "end what keeps them first (snapshots)"
            return caution(
                "dead rows",
                "the table \(table.name) has \(table.dead) beside \(table.live) live ones, \(since), and every claim passes by them: \(cure)"
            )
        }
    }

    /// The default is right for a queue of some hundred jobs a second, so it is no caution.
    private var nap: [Remark] {
        let advice =
            naptimeSeconds > Self.longNap
            ? "; with more than a thousand jobs a second set autovacuum_naptime = 10s in the server's settings"
            : ""
        return [fine("autovacuum", "looks every \(naptimeSeconds) s\(advice)")]
    }

    private var replication: [Remark] {
        let late = standbys.filter {
            ($0.bytes ?? 0) > Self.farBehind || ($0.seconds ?? 0) > Self.longBehind
        }
        let lagging = late.map { standby in
            let bytes = standby.bytes.map { "\($0 >> 20) MiB" } ?? "an unknown amount"
            return caution(
                "replication",
                """
                the standby \(standby.name) (\(standby.state)) is \(bytes) and \(standby.seconds ?? 0) s behind: a failover to it loses \
                or repeats that much unless it is synchronous; look at its disk, its network and its long queries
                """)
        }
        let slots = idleSlots.filter { $0.bytes > Self.muchLog }.map { slot in
            caution(
                "replication",
                """
                nobody reads the replication slot \(slot.name), and the server keeps \(slot.bytes >> 30) GiB of its log for it, \
                until its disk is full: start its reader, or SELECT pg_drop_replication_slot('\(slot.name)')
                """)
        }
        return lagging + slots
    }

    private func fine(_ subject: String, _ text: String) -> Remark {
        Remark(subject: subject, text: text, isCaution: false)
    }

    private func caution(_ subject: String, _ text: String) -> Remark {
        Remark(subject: subject, text: text, isCaution: true)
    }
}

// MARK: Asking

extension ServerHealth {
    init(_ access: Access) throws {
        let answers = try access.query([
            Call(.tableHealth), Call(.horizonHolders), Call(.standbyHealth), Call(.idleSlots), Call(.naptime),
        ])
        tables = try answers[0].map { row in
            Table(
                name: try row.text(0), live: try row.int64(1), dead: try row.int64(2),
                seconds: try row.int64OrNil(3))
        }
        holders = try answers[1].map { row in
            Holder(
                words: try row.text(0), cure: try row.text(1), seconds: try row.int64OrNil(2),
                transactions: try row.int64OrNil(3) ?? 0)
        }
        standbys = try answers[2].map { row in
            Standby(
                name: try row.text(0), state: try row.text(1), bytes: try row.int64OrNil(2),
                seconds: try row.int64OrNil(3))
        }
        idleSlots = try answers[3].map { row in Slot(name: try row.text(0), bytes: try row.int64(1)) }
        naptimeSeconds = try answers[4].first?.int64(0) ?? 60
    }
}

extension Statement {
    fileprivate static let tableHealth = Statement(
        "table-health",
        """
        SELECT relname::text, n_live_tup, n_dead_tup,
            extract(epoch FROM clock_timestamp() - greatest(last_vacuum, last_autovacuum))::bigint
        FROM pg_stat_user_tables
        WHERE relid IN (to_regclass('waiting'), to_regclass('running'), to_regclass('flight'))
        ORDER BY relname
        """)

    /// Transactions of this database's clients, prepared ones, standbys that say what they still read, and slots that remember it for them.
    fileprivate static let horizonHolders = Statement(
        "horizon-holders",
        """
        SELECT words, cure, seconds, transactions
        FROM (
            SELECT 'the server''s process ' || pid || ' (' || left(coalesce(application_name, ''), 60) || ')' AS words,
                'SELECT pg_terminate_backend(' || pid || ')' AS cure,
                extract(epoch FROM clock_timestamp() - xact_start)::bigint AS seconds, age(backend_xmin)::bigint AS transactions
            FROM pg_stat_activity
            WHERE backend_xmin IS NOT NULL AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'
            UNION ALL
            SELECT 'the prepared transaction ' || left(gid, 60), 'ROLLBACK PREPARED ' || quote_literal(left(gid, 200)),
                extract(epoch FROM clock_timestamp() - prepared)::bigint, age(transaction)::bigint
            FROM pg_prepared_xacts
            UNION ALL
            SELECT 'the standby ' || left(coalesce(application_name, ''), 60),
                'end its long queries, or set hot_standby_feedback = off there', NULL, age(backend_xmin)::bigint
            FROM pg_stat_replication
            WHERE backend_xmin IS NOT NULL
            UNION ALL
            SELECT 'the replication slot ' || slot_name::text,
                CASE WHEN active THEN 'end the long queries of its standby'
                    ELSE 'nobody reads it: SELECT pg_drop_replication_slot(' || quote_literal(slot_name::text) || ')' END,
                NULL, age(xmin)::bigint
            FROM pg_replication_slots
            WHERE xmin IS NOT NULL
        ) AS holder
        ORDER BY transactions DESC NULLS LAST
        LIMIT 5
        """)
    fileprivate static let standbyHealth = Statement(
        "standby-health",
        """
        SELECT coalesce(nullif(application_name, ''), 'without a name'), coalesce(state, 'unknown'),
            (pg_current_wal_lsn() - replay_lsn)::bigint, extract(epoch FROM replay_lag)::bigint
        FROM pg_stat_replication
        ORDER BY application_name, pid
        LIMIT 20
        """)
    fileprivate static let idleSlots = Statement(
        "idle-slots",
        """
        SELECT slot_name::text, (pg_current_wal_lsn() - restart_lsn)::bigint
        FROM pg_replication_slots
        WHERE NOT active AND restart_lsn IS NOT NULL
        ORDER BY restart_lsn
        LIMIT 5
        """)
    fileprivate static let naptime = Statement(
        "autovacuum-naptime", "SELECT setting::bigint FROM pg_settings WHERE name = 'autovacuum_naptime'")
}
