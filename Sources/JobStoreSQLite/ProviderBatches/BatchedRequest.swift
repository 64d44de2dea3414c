import Jobs
import SQLite

/// Attempts that come back from a provider batch without an answer; their jobs go to the ordinary line.
struct BatchedRow {
    let context: WriteContext

    init(_ context: WriteContext) {
        self.context = context
    }

    /// Nothing came of it; `unconfirmedCost` if the provider may have billed it all the same.
    func close(_ key: AttemptKey, unconfirmedCost: Bool) throws {
        let settlement = Settlement(
            key: key, verdict: .handedBack(sent: unconfirmedCost), routeEvent: .neutral,
            unconfirmedCost: unconfirmedCost)
        let ledgers = RowCache(context.connection)
        _ = try SettleTransaction(context, ledgers, settlement).run()
        try ledgers.save()
        try HalfPriceLanes.leave(key.job.value, context)
    }

    /// Its job cannot wait any longer for what the provider will say.
    func writeOff(_ key: AttemptKey) throws {
        guard let attempt = try StoredAttempt.find(key, context.connection), attempt.status == .open else {
            return
        }
        let error = JobError(
            type: "batch_overdue",
            message: "the provider's batch was not done in time, and could not be called back",
            retryable: true)
        let job = try WriteOff(context, error).write(attempt)
        guard let job, job.state == .running, job.attempt == attempt.number else { return }
        _ = try context.connection.run(
            "UPDATE job SET state = 'queued', ready = 1 WHERE id = ?1", [.integer(job.id)])
        context.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
        try HalfPriceLanes.leave(job.id, context)
        try WriteOff.freeFollower(of: attempt, context.connection)
    }
}
