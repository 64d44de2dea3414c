package import Jobs
import SQLite

extension SQLiteJobStore {
    package func hear(_ beginning: AnswerBeginning, now: Now) async throws {
        try await write(now: now) { context in
            let connection = context.connection
            guard let attempt = try StoredAttempt.find(beginning.key, connection), attempt.status == .open,
                attempt.providerBatch == nil, var route = try RouteRow.load(attempt.route, connection)
            else { return }
            route.ledger.hear(
                beginning, need: attempt.need, marks: attempt.marks, claimedAt: attempt.openedAt,
                now: now.moment)
            try route.save(connection)
        }
    }
}
