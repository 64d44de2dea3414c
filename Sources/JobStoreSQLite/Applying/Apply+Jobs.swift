import Jobs
import SQLite
import StoreRules

extension WriteContext {
    func finish(_ finish: JobFinish) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'succeeded', answer_id = ?2, attempts_counted = ?3,
                cost = min(cost + ?4, 9223372036854775807), finished_at = ?5, finish_order = ?6, error = NULL
            WHERE id = ?1
            """,
            [
                .integer(finish.job), .integer(try keep(finish.answer)), .integer(finish.attemptsCounted),
                .integer(finish.cost), .integer(now.timestamp.milliseconds),
                .integer(try nextFinishOrder()),
            ])
    }

    func serve(_ job: Int64, _ answer: CachedAnswer) throws {
        _ = try connection.run(
            "UPDATE answer SET uses = uses - 1 WHERE id = (SELECT answer_id FROM job WHERE id = ?1)",
            [.integer(job)])
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'succeeded', ready = 0, held_until = NULL, held_hash = NULL, answer_id = ?2, cached = 1,
                saved = ?3, started_at = coalesce(started_at, ?4), finished_at = ?4, finish_order = ?5, error = NULL
            WHERE id = ?1
            """,
            [
                .integer(job), .integer(answer.id), .integer(answer.cost),
                .integer(now.timestamp.milliseconds), .integer(try nextFinishOrder()),
            ])
        _ = try connection.run("UPDATE answer SET uses = uses + 1 WHERE id = ?1", [.integer(answer.id)])
    }

    func end(_ job: Int64, _ state: JobState, _ error: JobError?) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET state = ?2, ready = 0, held_until = NULL, held_hash = NULL, error = ?3, error_type = ?6,
                finished_at = ?4, finish_order = ?5
            WHERE id = ?1
            """,
            [
                .integer(job), .text(state.rawValue), .utf8(error.map(ErrorText.write)),
                .integer(now.timestamp.milliseconds), .integer(try nextFinishOrder()),
                .text(state == .failed ? error?.type : nil),
            ])
    }

    func requeue(_ requeue: JobRequeue) throws {
        let isReady = requeue.heldUntil == nil
        _ = try connection.run(
            """
            UPDATE job
            SET state = 'queued', ready = ?2, held_until = ?3, attempts_counted = ?4, failures = failures + ?5,
                cost = min(cost + ?6, 9223372036854775807), error = coalesce(?7, error)
            WHERE id = ?1
            """,
            [
                .integer(requeue.job), .bool(isReady), .integer(requeue.heldUntil?.milliseconds),
                .integer(requeue.attemptsCounted), .integer(isReady ? 0 : 1), .integer(requeue.cost),
                .utf8(requeue.error.map(ErrorText.write)),
            ])
    }

    func putBack(_ job: Int64, crashed: Bool) throws {
        _ = try connection.run(
            "UPDATE job SET state = 'queued', ready = 1, crash_count = crash_count + ?2 WHERE id = ?1",
            [.integer(job), .integer(crashed ? 1 : 0)])
    }

    func count(_ job: Int64, attempts: Int, cost: Int64) throws {
        _ = try connection.run(
            "UPDATE job SET attempts_counted = ?2, cost = min(cost + ?3, 9223372036854775807) WHERE id = ?1",
            [.integer(job), .integer(attempts), .integer(cost)])
    }

    func blame(_ job: Int64, _ blame: JobBlame, isForgiven: Bool) throws {
        _ = try connection.run(
            "UPDATE job SET blame_route_id = ?2, blame_mark = ?3, forgiven = forgiven + ?4 WHERE id = ?1",
            [.integer(job), .integer(blame.route), .integer(blame.mark), .integer(isForgiven ? 1 : 0)])
    }

    func fallBack(_ job: Int64, to position: Int, _ cause: Fallback.Cause) throws {
        _ = try connection.run(
            "UPDATE job SET fallback = ?2, fallback_cause = ?3 WHERE id = ?1",
            [.integer(job), .integer(position), .text(cause.rawValue)])
    }

    func leaveChain(_ job: Int64) throws {
        _ = try connection.run(
            "UPDATE job SET fallback = 0, fallback_cause = NULL WHERE id = ?1", [.integer(job)])
    }

    /// To the lane of that place, with its tallies.
    func move(_ move: JobMove) throws {
        let lane = try laneID(of: move.place)
        _ = try connection.run(
            "UPDATE job SET lane_id = ?2 WHERE id = ?1", [.integer(move.job), .integer(lane)])
        tallies.moved(from: move.from, to: lane, state: move.state)
    }
}
