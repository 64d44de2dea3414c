import Jobs
import Postgres
import StoreRules

/// What its owner says of a provider batch, while it is the owner's to say.
struct ProviderBatchReporting {
    private let context: WriteContext
    private let batch: OwnedBatch

    /// Nil if it is another's by now.
    init?(_ context: WriteContext, _ id: ProviderBatchID, _ owner: WorkerID) throws {
        let found = try context.queryOne(
            .ownedProviderBatch, [.integer(id.value), .integer(owner.value)]
        ) { row in (ProviderBatch.State(rawValue: try row.text(0)), try row.int(1)) }
        guard let (state, misses) = found, let state else { return nil }
        self.context = context
        batch = OwnedBatch(id: id.value, state: state, misses: misses)
    }

    /// What was cancelled meanwhile stays here.
    func beginSending() throws -> Bool {
        guard batch.mayBeSent else { return false }
        let unwanted = try context.query(.unwantedRequests, [.integer(batch.id)]).map { row in
            AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1))
        }
        try BatchedRow(context).close(unwanted, unconfirmedCost: false)
        let requests = try context.queryOne(.countRequests, [.integer(batch.id)]) { try $0.int(0) }
        var delta = Delta()
        let isSent = delta.send(batch, requests: requests ?? 0)
        try context.apply(delta)
        return isSent
    }

    func note(_ report: ProviderBatchReport) throws {
        if let key = report.refusedRequest { try BatchedRow(context).close([key], unconfirmedCost: false) }
        var random = AnyRandom(context.random)
        try context.apply { delta in
            try delta.note(report, of: batch, jobs: openJobs, using: &random)
        }
        context.random = random.source
    }

    private func openJobs() throws -> [Int64] {
        try context.query(.openJobsOfProviderBatch, [.integer(batch.id)]).map { row in try row.int64(0) }
    }
}

extension Statement {
    fileprivate static let ownedProviderBatch = Statement(
        "owned-provider-batch",
        """
        SELECT state, polls
        FROM provider_batch
        WHERE id = $1::bigint AND owner_id = $2::bigint AND ended_at IS NULL
        """, .bigint, .bigint)

    fileprivate static let unwantedRequests = Statement(
        "unwanted-requests",
        assembled: """
            SELECT flight.job_id, flight.number
            FROM flight
            WHERE flight.provider_batch_id = $1::bigint
                AND (NOT \(ProviderBatches.holdsJob) OR \(ProviderBatches.isOfCancelledBatch))
            ORDER BY flight.job_id
            """, [.bigint], isKept: true)

    fileprivate static let countRequests = Statement(
        "count-requests", "SELECT count(*) FROM flight WHERE provider_batch_id = $1::bigint", .bigint)

    fileprivate static let openJobsOfProviderBatch = Statement(
        "open-jobs-of-provider-batch",
        "SELECT job_id FROM flight WHERE provider_batch_id = $1::bigint ORDER BY job_id", .bigint)
}
