package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func noteBeginning(_ beginning: AnswerBeginning, now: Now) async throws {
        try await write(now: now) { context in
            guard let attempt = try AttemptRecord.find(beginning.key, context.connection),
                let route = try RouteState.load(attempt.route, context.connection)
            else { return }
            try route.noting(beginning, of: attempt, now: now.moment)?.save(context.connection)
        }
    }
}
