import Jobs
import Postgres
import StoreRules

/// A job's check in its row: taken in with the job, or with its queue.
enum Checks {
    /// A check as it is stored, with the routes of its escalations.
    struct Stored {
        let rules: [UInt8]
        let routes: String
    }

    static let columns = """
        job_check.rules, job_check.passed, job_check.reason, job_check.step, job_check.used, job_check.review,
        job_check.review_note, job_check.reviewed_at
        """

    /// The routes of escalations as a list of their numbers.
    static func routeList(_ routes: [Int64]) -> String {
        routes.map(String.init).joined(separator: ",")
    }
}

extension JobCheck {
    /// Nil if the job has none; `first` is the column of the rules.
    init?(_ row: Row, from first: Int) throws {
        guard let rules = try row.bytesOrNil(first) else { return nil }
        self.init(
            rules: rules, passed: try row.boolOrNil(first + 1), reason: try row.textOrNil(first + 2),
            step: try row.textOrNil(first + 3), used: try row.int(first + 4))
        guard let action = try row.textOrNil(first + 5) else { return }
        review = Review(
            action: action, note: try row.textOrNil(first + 6), at: try row.timestamp(first + 7))
    }
}

extension SentRequest {
    static func load(_ job: Int64, _ access: Access) throws -> SentRequest? {
        try load([job], access)[job]
    }

    static func load(_ jobs: [Int64], _ access: Access) throws -> [Int64: SentRequest] {
        guard !jobs.isEmpty else { return [:] }
        return try read(access.query([call(jobs)])[0])
    }

    static func call(_ jobs: [Int64]) -> Call { Call(.sentRequests, [.integerArray(jobs)]) }

    static func read(_ rows: Rows) throws -> [Int64: SentRequest] {
        try rows.reduce(into: [:]) { sent, row in
            let rules = try row.bytesOrNil(5)
            let id = try row.int64(0)
            sent[id] = SentRequest(
                job: id, own: try row.bytes(1), next: try row.bytesOrNil(2),
                betas: Betas.list(try row.textOrNil(3)),
                check: try rules.map { OpenCheck(rules: $0, used: try row.int(6)) },
                isKeyed: try row.bool(7), sample: try row.int(4))
        }
    }
}

extension Statement {
    fileprivate static let sentRequests = Statement(
        "sent-requests",
        """
        SELECT job.id, job.request, job_check.request, job.betas, job.sample, job_check.rules, job_check.used,
            job.idempotency_key IS NOT NULL
        FROM job
        LEFT JOIN job_check ON job_check.job_id = job.id
        WHERE job.id = ANY ($1::bigint[])
        """, .bigints)
}
