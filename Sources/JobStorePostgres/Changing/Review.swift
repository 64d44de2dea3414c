package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func review(_ id: JobID, _ action: ReviewAction, note: String?) async throws -> ChangeOutcome {
        try await write { context in
            guard let job = try JobRecord.find(id.value, context.access) else { return .unknown }
            guard job.state == .review, let answer = job.answer else { return .refused(job.state) }
            let message = try context.message(of: answer, for: action)
            try context.apply { delta in
                try delta.review(job, answer: answer, message: message, action, note: note)
            }
            return .changed
        }
    }
}

extension WriteContext {
    /// The answer in review, if the action keeps a part of it.
    fileprivate func message(of answer: Int64, for action: ReviewAction) throws -> [UInt8]? {
        guard case .rewrite = action else { return nil }
        return try queryOne(.answerInReview, [.integer(answer)]) { row in try row.bytes(0) }
    }
}

extension Statement {
    fileprivate static let answerInReview = Statement(
        "answer-in-review", "SELECT body FROM answer WHERE id = $1::bigint", .bigint)
}
