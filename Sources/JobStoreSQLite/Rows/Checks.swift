import Jobs
import SQLite
import StoreRules

/// A job's check in its row: taken in with the job, or with its queue.
enum Checks {
    static let columns = """
        job_check.rules, job_check.passed, job_check.reason, job_check.step, job_check.used, job_check.review,
        job_check.review_note, job_check.reviewed_at
        """

    /// A check as it is stored, with the routes of its escalations.
    struct Stored {
        let rules: [UInt8]
        let routes: String

        /// A queue's, for those of its jobs that bring none.
        static func of(queue: Int64, _ connection: Connection) throws -> Stored? {
            try connection.queryOne(
                "SELECT check_rules, check_routes FROM queue WHERE id = ?1 AND check_rules IS NOT NULL",
                [.integer(queue)], { row in Stored(rules: row.blob(0), routes: row.textOrNil(1) ?? "") })
        }
    }

    /// The job's own check, or its queue's.
    static func insert(
        _ job: NewJob, id: Int64, queueCheck: Stored?, lane: Int64, _ context: WriteContext
    ) throws {
        let own = try job.check.map {
            Stored(rules: $0.rules, routes: routeList(try $0.routes.map { try context.routeID($0) }))
        }
        guard let check = own ?? (job.refusesQueueCheck ? nil : queueCheck) else { return }
        _ = try context.connection.run(
            "INSERT INTO job_check (job_id, rules, routes, first_lane_id) VALUES (?1, ?2, ?3, ?4)",
            [.integer(id), .blob(check.rules), .text(check.routes), .integer(lane)])
    }

    /// The routes of escalations as a list of their numbers.
    static func routeList(_ routes: [Int64]) -> String {
        routes.map(String.init).joined(separator: ",")
    }
}

extension JobCheck {
    /// Nil if the job has none; `first` is the column of the rules.
    init?(_ row: borrowing Row, from first: Int) {
        guard let rules = row.blobOrNil(first) else { return nil }
        self.init(
            rules: rules, passed: row.intOrNil(first + 1).map { $0 == 1 },
            reason: row.textOrNil(first + 2),
            step: row.textOrNil(first + 3), used: row.int(first + 4))
        guard let action = row.textOrNil(first + 5) else { return }
        review = Review(
            action: action, note: row.textOrNil(first + 6),
            at: Timestamp(milliseconds: row.int64(first + 7)))
    }
}
