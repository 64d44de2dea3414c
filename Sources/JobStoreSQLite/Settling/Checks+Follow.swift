import JSON
import Jobs
import SQLite

// What follows an answer that failed its check: another call in the job's name, a person, or the job's end.
extension Checks {
    /// Moves the job on from `running`; returns the state that it then has.
    ///
    /// `stored` is the answer's number where it is kept: with the job, for people to see.
    static func follow(
        _ failure: CheckFailure, _ job: StoredJob, _ answer: Answer?, stored: Int64?, _ context: WriteContext
    ) throws -> JobState {
        let connection = context.connection
        _ = try connection.run(
            """
            UPDATE job_check
            SET passed = 0, step = source, reason = ?2, used = ?3
            WHERE job_id = ?1
            """, [.integer(job.id), .text(failure.reason), .integer(failure.used)])
        if let stored {
            _ = try connection.run(
                "UPDATE job SET answer_id = ?2 WHERE id = ?1", [.integer(job.id), .integer(stored)])
        }
        switch failure.step {
        case .fail:
            try JobCompletion(context).end(job.id, .failed, error: failure.error)
            context.moved(lane: job.lane, batch: job.batch, from: .running, to: .failed)
            return .failed
        case .review:
            try stand(job, .review, failure, context)
            return .review
        case .repair, .escalate:
            try stand(job, .queued, failure, context)
            try callAgain(job, failure, answer, context)
            return .queued
        }
    }

    private static func stand(
        _ job: StoredJob, _ state: JobState, _ failure: CheckFailure, _ context: WriteContext
    ) throws {
        _ = try context.connection.run(
            """
            UPDATE job
            SET state = ?2, ready = ?3, error = ?4, blame_route_id = NULL, blame_mark = NULL
            WHERE id = ?1
            """,
            [
                .integer(job.id), .text(state.rawValue), .bool(state == .queued),
                .utf8(ErrorText.write(failure.error)),
            ])
        context.moved(lane: job.lane, batch: job.batch, from: .running, to: state)
    }

    /// Puts the next request in the place of the last one, and the job into the lane where it belongs.
    private static func callAgain(
        _ job: StoredJob, _ failure: CheckFailure, _ answer: Answer?, _ context: WriteContext
    ) throws {
        let connection = context.connection
        guard var sent = try SentRequest.load(job.id, connection) else { return }
        let request: [UInt8]
        if let route = try nextRoute(of: job.id, failure, connection) {
            request = try NextRequest.escalation(of: sent.own, to: route.model)
            try Lanes.move(job.id, to: route.id, context)
            // Another lane, another chain.
            _ = try connection.run(
                "UPDATE job SET fallback = 0, fallback_cause = NULL WHERE id = ?1", [.integer(job.id)])
        } else {
            request = try NextRequest.repair(
                sent.bytes, answer: answer?.body ?? [], reason: failure.reason)
        }
        try sent.follow(with: request, source: failure.step.word, context)
    }

    /// Where the escalation leads that this failure uses; nil where it asks for none.
    private static func nextRoute(
        of job: Int64, _ failure: CheckFailure, _ connection: Connection
    ) throws -> (id: Int64, model: String)? {
        guard case .escalate = failure.step else { return nil }
        let found = try connection.queryOne(
            "SELECT rules, routes FROM job_check WHERE job_id = ?1", [.integer(job)],
            { row in (row.blob(0), row.text(1)) })
        guard let (rules, routes) = found else { return nil }
        let check = try Check(try JSON.parse(rules, maxDepth: JSON.deepest))
        let place = check.steps.prefix(failure.used).count { $0.word == failure.step.word } - 1
        let ids = routes.split(separator: ",").compactMap { Int64($0) }
        guard ids.indices.contains(place) else { return nil }
        return try connection.queryOne(
            "SELECT id, model FROM route WHERE id = ?1", [.integer(ids[place])],
            { row in (row.int64(0), row.text(1)) })
    }

    /// A retried job begins with its own request on its own route, and with all its steps.
    static func beginAgain(_ job: StoredJob, _ context: WriteContext) throws {
        let connection = context.connection
        if let answer = job.answer {
            _ = try connection.run("UPDATE answer SET uses = uses - 1 WHERE id = ?1", [.integer(answer)])
        }
        let found = try connection.queryOne(
            """
            SELECT lane.route_id, job_check.request IS NOT NULL
            FROM job_check
            JOIN lane ON lane.id = job_check.first_lane_id
            WHERE job_check.job_id = ?1
            """, [.integer(job.id)], { row in (row.int64(0), row.bool(1)) })
        guard let (route, hasMoved) = found else { return }
        _ = try connection.run(
            """
            UPDATE job_check
            SET used = 0, source = 'first', passed = NULL, step = NULL, reason = NULL,
                review = NULL, review_note = NULL, reviewed_at = NULL
            WHERE job_id = ?1
            """, [.integer(job.id)])
        guard hasMoved else { return }
        // Not to the first lane itself: the job's tags may have other budgets by now.
        try Lanes.move(job.id, to: route, context)
        var sent = try SentRequest.load(job.id, connection)
        try sent?.beginAgain(context)
    }
}
