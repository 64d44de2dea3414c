package import Jobs
import StoreRules

extension PostgresJobStore {
    package func noteBeginning(_ beginning: AnswerBeginning) async throws {
        try await write(.claim, needing: .finishes) { context in
            guard let attempt = try AttemptRecord.find(beginning.key, context.access),
                let route = try RouteState.load(attempt.route, context.access)
            else { return }
            route.noting(beginning, of: attempt, now: context.now.moment)?.save(context)
        }
    }
}
