import Jobs
import SQLite
import StoreRules

extension SentRequest {
    static func load(_ job: Int64, _ connection: Connection) throws -> SentRequest? {
        try connection.queryOne(
            """
            SELECT job_body.request, job_check.request, job_body.betas, job_body.sample, job_check.rules,
                job_check.used, job_body.idempotency_key IS NOT NULL
            FROM job_body
            LEFT JOIN job_check ON job_check.job_id = job_body.job_id
            WHERE job_body.job_id = ?1
            """, [.integer(job)]
        ) { row in
            let rules = row.blobOrNil(4)
            return SentRequest(
                job: job, own: row.blob(0), next: row.blobOrNil(1), betas: Betas.list(row.textOrNil(2)),
                check: rules.map { OpenCheck(rules: $0, used: row.int(5)) }, isKeyed: row.bool(6),
                sample: row.int(3))
        }
    }
}
