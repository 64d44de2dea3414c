package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore {
    package func noteBeginning(_ beginning: AnswerBeginning) async throws {
        try await write { context in
            guard let attempt = try AttemptRecord.find(beginning.key, context.connection),
                let route = try RouteState.load(attempt.route, context.connection)
            else { return }
            try route.noting(beginning, of: attempt, now: context.now.moment)?.save(context.connection)
        }
    }
}
