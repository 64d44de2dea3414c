import Jobs
import SQLite
import StoreRules

/// What its owner says of a provider batch, while it is the owner's to say.
struct ProviderBatchReporting {
    private let context: WriteContext
    private let batch: OwnedBatch
    private var connection: Connection { context.connection }

    /// Nil if it is another's by now.
    init?(_ context: WriteContext, _ id: ProviderBatchID, _ owner: WorkerID) throws {
        let found = try context.connection.queryOne(
            "SELECT state, polls FROM provider_batch WHERE id = ?1 AND owner_id = ?2 AND ended_at IS NULL",
            [.integer(id.value), .integer(owner.value)],
            { row in (ProviderBatch.State(rawValue: row.text(0)), row.int(1)) })
        guard let (state, misses) = found, let state else { return nil }
        self.context = context
        batch = OwnedBatch(id: id.value, state: state, misses: misses)
    }

    /// What was cancelled meanwhile stays here.
    func beginSending() throws -> Bool {
        guard batch.mayBeSent else { return false }
        let unwanted = try connection.query(Self.unwanted, [.integer(batch.id)]) { row in
            AttemptKey(job: JobID(row.int64(0)), number: row.int(1))
        }
        for key in unwanted { try BatchedRow(context).close(key, unconfirmedCost: false) }
        let requests = try connection.queryOne(
            "SELECT count(*) FROM attempt WHERE provider_batch_id = ?1 AND status = 'open'",
            [.integer(batch.id)], { row in row.int(0) })
        var delta = Delta()
        let isSent = delta.send(batch, requests: requests ?? 0)
        try context.apply(delta)
        return isSent
    }

    private static let unwanted = SQL(
        """
        SELECT attempt.job_id, attempt.number
        FROM attempt
        JOIN job ON job.id = attempt.job_id
        WHERE attempt.provider_batch_id = ?1 AND attempt.status = 'open' AND (
            job.state <> 'running' OR job.attempt <> attempt.number OR \(ProviderBatches.isOfCancelledBatch)
        )
        """)

    func note(_ report: ProviderBatchReport) throws {
        if let key = report.refusedRequest { try BatchedRow(context).close(key, unconfirmedCost: false) }
        var random = AnyRandom(context.random)
        try context.apply { delta in
            try delta.note(report, of: batch, jobs: openJobs, using: &random)
        }
        context.random = random.source
    }

    private func openJobs() throws -> [Int64] {
        try connection.query(
            "SELECT job_id FROM attempt WHERE provider_batch_id = ?1 AND status = 'open' ORDER BY job_id",
            [.integer(batch.id)]
        ) { row in row.int64(0) }
    }
}
