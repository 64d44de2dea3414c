import Jobs
import Postgres
import StoreRules

extension WriteContext {
    func open(_ attempt: NewAttempt) throws {
        let time = now.timestamp.milliseconds
        try change(attempt.key.job.value) { row in
            row.place = .running
            row.attempt = Int64(attempt.key.number)
            row.startedAt = row.startedAt ?? time
        }
        attempts.open(
            AttemptChanges.Opened(
                attempt: attempt, openedAt: time, windows: try attempt.windows.map(id),
                providerBatch: try attempt.providerBatch.map(id)))
    }

    /// Its verdict, and what was really used.
    func settle(_ settled: AttemptSettlement) {
        let settlement = settled.settlement
        attempts.close(
            AttemptChanges.Closed(
                key: settlement.key, status: .settled, verdict: settled.word, counted: settled.counted,
                closedAt: now.timestamp.milliseconds, usage: settlement.answer?.usage ?? settlement.usage,
                cost: settled.cost, unconfirmedCost: settled.unconfirmedCost,
                callMilliseconds: settlement.callMilliseconds, requestID: settlement.requestID,
                error: settlement.verdict.error.map(ErrorText.write),
                isLate: attempts.late.contains(settlement.key)))
    }

    func writeOff(_ key: AttemptKey, _ error: JobError) {
        attempts.close(
            AttemptChanges.Closed(
                key: key, status: .writtenOff, verdict: "lease_lost", counted: false,
                closedAt: now.timestamp.milliseconds, usage: nil, cost: 0, unconfirmedCost: nil,
                callMilliseconds: nil, requestID: nil, error: ErrorText.write(error), isLate: false))
        attempts.late.insert(key)
    }

    func drain(_ worker: WorkerID, until: Moment) {
        run(.drain, [.integer(worker.value), .integer(until.milliseconds)])
    }
}

extension Statement {
    fileprivate static let drain = Statement(
        "drain", "UPDATE worker SET emptying = $2::bigint WHERE id = $1::bigint", .bigint, .bigint)
}
