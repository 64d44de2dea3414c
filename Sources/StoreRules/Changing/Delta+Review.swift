package import Jobs

// A person's decision about an answer that failed its check.
extension Delta {
    /// `message` is the answer in review; needed if its text alone is replaced.
    package mutating func review(
        _ job: JobRecord, answer: Int64, message: [UInt8]?, _ action: ReviewAction, note: String?
    ) throws {
        switch action {
        case .approve: accept(job, .stored(answer))
        case .edit(let message): accept(job, .edited(message, of: answer))
        case .rewrite(let text):
            accept(job, .edited(try EditedAnswer.message(message ?? [], saying: text), of: answer))
        case .reject:
            let error = JobError(
                type: "rejected", message: note ?? "a person rejected the answer", retryable: true)
            end(job.identity, from: job.state, .failed, error)
        }
        add(.noteReview(job: job.id, action, note: note))
    }

    private mutating func accept(_ job: JobRecord, _ answer: ReviewedAnswer) {
        add(.accept(job: job.id, answer))
        tallies.moved(lane: job.lane, batch: job.batch, from: .review, to: .succeeded)
    }
}
