import Jobs
import SQLite
import StoreRules

/// Unfinished jobs of tags that got a budget, or lost it, on their way to the lanes where they now belong: a portion in each
/// transaction, however many they are.
///
/// Meanwhile a claim that draws a job from another lane moves it first, so that nothing is called past a new budget.
/// What has finished stays where it is: a retry looks again.
enum LaneMoves {
    /// Jobs looked at in one transaction.
    static let portion = 500
    /// Portions that are carried out before the change of budgets is acknowledged; the reapers do the rest.
    static let atOnce = 20

    /// Notes whose jobs are to be moved, as budgets have changed.
    static func begin(from old: LaneBudget, _ context: WriteContext) throws {
        for tag in try LaneBudget.load(context.connection).difference(from: old) {
            _ = try context.connection.run(
                "INSERT OR REPLACE INTO lane_move (tag, behind) VALUES (?1, 0)", [.text(tag)])
        }
    }

    static func isPending(_ connection: Connection) throws -> Bool {
        try connection.queryOne("SELECT EXISTS (SELECT 1 FROM lane_move)") { row in row.bool(0) } ?? false
    }

    /// One portion; returns whether there may be more.
    static func goOn(_ context: WriteContext, limit: Int = portion) throws -> Bool {
        let connection = context.connection
        let pending = try connection.queryOne("SELECT tag, behind FROM lane_move LIMIT 1") { row in
            (tag: row.text(0), behind: row.int64(1))
        }
        guard let pending else { return false }
        let jobs = try connection.query(
            """
            SELECT job_tag.job_id, job.finish_order IS NULL
            FROM job_tag
            CROSS JOIN job ON job.id = job_tag.job_id
            WHERE job_tag.tag = ?1 AND job_tag.job_id > ?2
            ORDER BY job_tag.job_id
            LIMIT ?3
            """, [.text(pending.tag), .integer(pending.behind), .integer(limit)]
        ) { row in (id: row.int64(0), isUnfinished: row.bool(1)) }
        for job in jobs where job.isUnfinished { try Lanes.move(job.id, context) }
        if jobs.count == limit, let last = jobs.last {
            _ = try connection.run(
                "UPDATE lane_move SET behind = ?2 WHERE tag = ?1", [.text(pending.tag), .integer(last.id)])
        } else {
            _ = try connection.run("DELETE FROM lane_move WHERE tag = ?1", [.text(pending.tag)])
        }
        return try isPending(connection)
    }
}

extension SQLiteJobStore {
    /// Goes on with what a change of budgets began, for some portions.
    func moveLanes() async throws {
        for _ in 0..<LaneMoves.atOnce {
            guard try await write({ context in try LaneMoves.goOn(context) }) else { return }
        }
    }
}
