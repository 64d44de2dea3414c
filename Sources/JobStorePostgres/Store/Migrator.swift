import Jobs
import Migrations
import Postgres

/// Brings the schema up to date beside a fleet that works.
///
/// A step takes locks that everybody waits for, and while it waits for them itself everybody waits behind it. So it waits for a moment only, gives up, and
/// tries again after a pause in which the others go on. It takes the table `renga` first, which each writing transaction has read: none
/// begins under one schema and ends under another.
struct Migrator {
    var steps = Migration.postgres
    /// How long it stands in the way of others at most while it waits for a lock.
    var lockMilliseconds = 500
    /// A step that takes longer holds its locks for too long.
    var statementMilliseconds = 10_000
    /// How long it goes on trying.
    var patience = Duration.seconds(60)
    /// Told who is in its way, as often as that is worth a line.
    var onDelay: @Sendable (String) -> Void = { _ in }

    /// The version that it leads to.
    var newest: Int { steps.last?.version ?? 0 }

    private static let pause: ClosedRange<Int64> = 300...1_500
    private static let betweenLines = Duration.seconds(5)

    private enum Attempt {
        case done
        case delayed(by: String)
    }

    /// Takes the steps that the database lacks; of several processes that start at once one takes them.
    ///
    /// Throws `locked` if others do not make way.
    func run(_ session: Session) async throws {
        let end = ContinuousClock.now + patience
        var nextLine = ContinuousClock.now
        while true {
            guard case .delayed(let reason) = try await session.run({ try attempt($0) }) else { return }
            guard ContinuousClock.now < end else { throw delayed(reason) }
            if ContinuousClock.now >= nextLine {
                onDelay(reason)
                nextLine = ContinuousClock.now + Self.betweenLines
            }
            try await Task.sleep(for: .milliseconds(Int64.random(in: Self.pause)))
        }
    }

    private func delayed(_ reason: String) -> JobStoreError {
        JobStoreError(
            .locked,
            """
            the schema could not be brought up to date within \(patience.components.seconds) s, and nothing was changed: \
            \(reason). Let it end, or end it (SELECT pg_terminate_backend(PROCESS)), then: renga migrate
            """)
    }

    private func attempt(_ connection: Connection) throws -> Attempt {
        let found = try found(connection)
        try found?.demandUnmoved { call in try connection.run([call])[0] }
        guard (found?.version ?? 0) < newest else {
            try found?.demand(.works, knowing: newest)
            return .done
        }
        do {
            try connection.execute(script: script(from: found?.version ?? 0), limits: limits)
            return .done
        } catch  where Self.isLate(error) && connection.isUsable {
            return .delayed(by: try obstacles(connection))
        } catch  where error.state == "42501" && connection.isUsable {
            throw try missingRight(connection)
        } catch {
            // Another process was first.
            guard connection.isUsable, try self.found(connection) != found else { throw error }
            return try attempt(connection)
        }
    }

    /// One transaction, as the server runs a script that does not say otherwise; its settings go with it.
    private func script(from found: Int) -> String {
        let lines =
            [
                "SELECT set_config('lock_timeout', '\(lockMilliseconds)', true)",
                "SELECT set_config('statement_timeout', '\(statementMilliseconds)', true)",
                "SELECT pg_advisory_xact_lock(7464, 0)",
            ] + (found > 0 ? ["LOCK TABLE renga IN ACCESS EXCLUSIVE MODE"] : [])
        let steps = steps.filter { $0.version > found }.map { String(decoding: $0.sql, as: UTF8.self) }
        return lines.map { $0 + ";\n" }.joined() + steps.joined(separator: "\n")
    }

    private var limits: TripLimits { TripLimits(milliseconds: 10 * statementMilliseconds) }

    /// A lock was not to be had in time, a statement took too long, or another was chosen over it in a deadlock.
    private static func isLate(_ error: PostgresError) -> Bool {
        ["55P03", "57014", "40P01"].contains(error.state)
    }

    /// Nil if there are no tables yet.
    private func found(_ connection: Connection) throws -> Schema.Found? {
        guard try connection.run([Call(.hasTable)])[0].first?.bool(0) == true else { return nil }
        return try connection.run([Call(.version)])[0].first.map { row in try Schema.Found(row) }
    }

    private func missingRight(_ connection: Connection) throws -> JobStoreError {
        let row = try connection.run([Call(.owner)])[0].first
        let (user, owner) = (try row?.text(0) ?? "", try row?.textOrNil(1) ?? "the owner")
        return JobStoreError(
            .unsuitable,
            """
            the schema must be brought up to date, and the role \(user) may not change it: run `renga migrate` once as \(owner)
            """)
    }

    /// Who holds locks on renga's tables for longer than it was waited for, in words.
    private func obstacles(_ connection: Connection) throws -> String {
        var arguments = Arguments()
        arguments.add(Int64(lockMilliseconds))
        let found = try connection.run([Call(.obstacles, arguments)])[0].map { row in
            let name = try row.text(1).isEmpty ? try row.text(2) : "\(try row.text(1)), \(try row.text(2))"
            return "\(try row.text(0)) (\(name)) has been at work for \(try row.int64(3)) s"
        }
        return found.isEmpty
            ? "other transactions hold its tables, one after the other" : found.joined(separator: "; ")
    }
}

extension Statement {
    fileprivate static let hasTable = Statement("has-schema", "SELECT to_regclass('renga') IS NOT NULL")
    fileprivate static let version = Statement(
        "schema-version", assembled: "SELECT \(Schema.Found.columns) FROM renga", isKept: true)
    fileprivate static let owner = Statement(
        "schema-owner",
        """
        SELECT current_user::text, (SELECT relowner::regrole::text FROM pg_class WHERE oid = to_regclass('renga'))
        """)

    /// The locks of a prepared transaction have no process.
    fileprivate static let obstacles = Statement(
        "schema-obstacles",
        """
        SELECT who, name, role, seconds
        FROM (
            SELECT DISTINCT 'process ' || activity.pid AS who, left(coalesce(activity.application_name, ''), 60) AS name,
                coalesce(activity.usename::text, '') AS role,
                coalesce(extract(epoch FROM clock_timestamp() - activity.xact_start), 0)::bigint AS seconds,
                activity.xact_start AS since
            FROM pg_locks
            JOIN pg_stat_activity AS activity ON activity.pid = pg_locks.pid
            WHERE pg_locks.granted AND activity.pid <> pg_backend_pid() AND activity.datname = current_database()
                AND (pg_locks.relation IN (
                    SELECT pg_class.oid
                    FROM pg_class
                    WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('renga'))
                ) OR (pg_locks.locktype = 'advisory' AND pg_locks.classid = 7464 AND pg_locks.objid = 0))
                AND coalesce(clock_timestamp() - activity.xact_start >= $1::bigint * interval '1 millisecond', true)
            UNION ALL
            SELECT 'the prepared transaction ' || left(gid, 60), '', owner::text,
                extract(epoch FROM clock_timestamp() - prepared)::bigint, prepared
            FROM pg_prepared_xacts
            WHERE database = current_database()
        ) AS obstacle
        ORDER BY since
        LIMIT 3
        """, .bigint)
}
