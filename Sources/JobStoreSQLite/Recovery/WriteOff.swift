import Jobs
import SQLite

/// Closes an attempt whose call nobody will answer for in time: what it reserved is unconfirmed.
struct WriteOff {
    let context: WriteContext
    let error: JobError
    private var connection: Connection { context.connection }

    init(_ context: WriteContext, _ error: JobError) {
        self.context = context
        self.error = error
    }

    /// Returns the attempt's job as it is then; what becomes of it is the caller's to say.
    func write(_ attempt: StoredAttempt) throws -> StoredJob? {
        _ = try connection.run(
            """
            UPDATE attempt
            SET status = 'written_off', verdict = 'lease_lost', closed_at = ?3, unconfirmed_cost = reserved_cost, error = ?4
            WHERE job_id = ?1 AND number = ?2
            """,
            [
                .integer(attempt.job), .integer(attempt.number),
                .integer(context.now.timestamp.milliseconds),
                .utf8(ErrorText.write(error)),
            ])
        if attempt.providerBatch == nil { try freePlaces(of: attempt) }
        guard let job = try StoredJob.find(attempt.job, connection) else { return nil }
        try context.spent(lane: job.lane, job: job.id) { spend in
            spend.calls += 1
            spend.unconfirmedCost += attempt.reservedCost
        }
        context.booked(batch: job.batch) { money in
            money.calls += 1
            money.unconfirmedCost += attempt.reservedCost
        }
        try BudgetSettlement(context).close(attempt, cost: 0, unconfirmedCost: attempt.reservedCost)
        return job
    }

    private func freePlaces(of attempt: StoredAttempt) throws {
        _ = try connection.run(
            "UPDATE queue SET running = max(0, running - 1) WHERE id = ?1", [.integer(attempt.queue)])
        guard var route = try RouteRow.load(attempt.route, connection) else { return }
        route.ledger.writeOff(attempt.need, now: context.now.moment)
        try route.save(connection)
    }

    /// The first of those that wait for the same prompt goes next.
    static func freeFollower(of attempt: StoredAttempt, _ connection: Connection) throws {
        guard let hash = attempt.promptHash else { return }
        try Holds.releaseFirst(hash, route: attempt.home, connection)
    }
}
