import Jobs
import Postgres
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
        for tag in try LaneBudget.load(context.access).difference(from: old).sorted() {
            context.run(.beginMove, [.text(tag)])
        }
    }

    static let pending = Call(
        Statement("lane-moves", "SELECT tag, behind FROM lane_move ORDER BY tag LIMIT 1"))

    static func isPending(_ access: Access) throws -> Bool { try access.query([pending])[0].count > 0 }

    /// One portion; returns whether there may be more.
    static func goOn(_ context: WriteContext, limit: Int = portion) throws -> Bool {
        guard let move = try context.access.query([pending])[0].first else { return false }
        let (tag, behind) = (try move.text(0), try move.int64(1))
        let ids = try context.query(.taggedJobs, [.text(tag), .integer(behind), .integer(limit)])
            .map { row in try row.int64(0) }
        let laneBudget = try LaneBudget.load(context.access)
        for job in try JobRecord.find(ids, context.access) where !job.state.isTerminal {
            let standing = LaneStanding(lane: job.lane, state: job.state, place: job.place)
            try context.apply { delta in
                delta.move(job.id, at: standing, budget: laneBudget.name(of: job.tags)) { _ in }
            }
        }
        if ids.count == limit, let last = ids.last {
            context.run(.advanceMove, [.text(tag), .integer(last)])
        } else {
            context.run(.endMove, [.text(tag)])
        }
        return try isPending(context.access)
    }
}

extension PostgresJobStore {
    /// Goes on with what a change of budgets began, for some portions.
    func moveLanes() async throws {
        for _ in 0..<LaneMoves.atOnce {
            guard try await write(.alone, { context in try LaneMoves.goOn(context) }) else { return }
        }
    }
}

extension Statement {
    fileprivate static let beginMove = Statement(
        "begin-lane-move",
        """
        INSERT INTO lane_move (tag, behind) VALUES ($1::text, 0)
        ON CONFLICT (tag, tenant_id) DO UPDATE SET behind = 0
        """, .text)
    fileprivate static let taggedJobs = Statement(
        "tagged-jobs",
        """
        SELECT job_id
        FROM job_tag
        WHERE tag = $1::text AND job_id > $2::bigint
        ORDER BY job_id
        LIMIT $3::bigint
        """, .text, .bigint, .bigint)
    fileprivate static let advanceMove = Statement(
        "advance-lane-move", "UPDATE lane_move SET behind = $2::bigint WHERE tag = $1::text", .text, .bigint)
    fileprivate static let endMove = Statement(
        "end-lane-move", "DELETE FROM lane_move WHERE tag = $1::text", .text)
}
