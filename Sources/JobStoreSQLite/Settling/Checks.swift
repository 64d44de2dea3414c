import Jobs
import SQLite

/// A job's check in its row: taken in with the job, asked at a cached answer, moved on by failures.
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
            Stored(rules: $0.rules, routes: try routeList($0.routes, context))
        }
        guard let check = own ?? (job.refusesQueueCheck ? nil : queueCheck) else { return }
        _ = try context.connection.run(
            "INSERT INTO job_check (job_id, rules, routes, first_lane_id) VALUES (?1, ?2, ?3, ?4)",
            [.integer(id), .blob(check.rules), .text(check.routes), .integer(lane)])
    }

    /// The routes of escalations as a list of their numbers.
    static func routeList(_ routes: [RouteKey], _ context: WriteContext) throws -> String {
        try routes.map { String(try context.routeID($0)) }.joined(separator: ",")
    }

    /// Whether a cached answer passes the job's check; if so, that is noted.
    static func admits(_ answer: CachedAnswer, for job: Int64, _ context: WriteContext) throws -> Bool {
        let connection = context.connection
        guard let sent = try SentRequest.load(job, connection), let check = sent.check else { return true }
        let body = try connection.queryOne(
            "SELECT body FROM answer WHERE id = ?1", [.integer(answer.id)], { row in row.blob(0) })
        guard let body, check.failure(of: body, to: sent.bytes) == nil else { return false }
        try pass(job, connection)
        return true
    }

    static func pass(_ job: Int64, _ connection: Connection) throws {
        _ = try connection.run(
            "UPDATE job_check SET passed = 1, step = source WHERE job_id = ?1", [.integer(job)])
    }
}

extension JobCheck {
    /// Nil where the job has none; `first` is the column of the rules.
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
