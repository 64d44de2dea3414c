import Jobs
import SQLite

/// Attempts that come back from a consignment without an answer; their jobs go to the ordinary line.
struct Consigned {
    let operation: Operation

    init(_ operation: Operation) {
        self.operation = operation
    }

    /// Nothing came of it; `maybePaid` where the provider may have billed it all the same.
    func close(_ key: AttemptKey, maybePaid: Bool) throws {
        let settlement = Settlement(
            key: key, verdict: .handedBack(sent: maybePaid), routeEvent: .neutral, maybePaid: maybePaid)
        let ledgers = Ledgers(operation.connection)
        _ = try Closing(operation, ledgers, settlement).run()
        try ledgers.save()
        try HalfPriceLine.leave(key.job.value, operation)
    }

    /// Its job cannot wait any longer for what the provider will say.
    func writeOff(_ key: AttemptKey) throws {
        guard let attempt = try StoredAttempt.find(key, operation.connection), attempt.fate == .open else {
            return
        }
        let error = JobError(
            type: "batch_overdue",
            message: "the provider's batch was not done in time, and could not be called back",
            retryable: true)
        let job = try WriteOff(operation, error).write(attempt)
        guard let job, job.state == .running, job.attempt == attempt.number else { return }
        _ = try operation.connection.run(
            "UPDATE job SET state = 'queued', ready = 1 WHERE id = ?1", [.integer(job.id)])
        operation.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
        try HalfPriceLine.leave(job.id, operation)
        try WriteOff.freeFollower(of: attempt, operation.connection)
    }
}
