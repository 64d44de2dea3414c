import JSON
package import Jobs

/// A job's check, as what follows a failure needs it.
package struct CheckSnapshot: Sendable {
    package let sent: SentRequest
    /// The route that the failure escalates to; nil if it asks for none.
    package let escalation: Escalation?

    package init(sent: SentRequest, escalation: Escalation?) {
        self.sent = sent
        self.escalation = escalation
    }

    package struct Escalation: Sendable {
        package let model: String
        /// The lane of the job then.
        package let place: LanePlace

        package init(model: String, place: LanePlace) {
            self.model = model
            self.place = place
        }
    }

    /// Which of the check's routes the failure escalates to; nil if it asks for none.
    package static func escalation(
        _ failure: CheckFailure, rules: [UInt8], routes: [Int64]
    ) throws -> Int64? {
        guard case .escalate = failure.step else { return nil }
        let check = try Check(try JSON.parse(rules, maxDepth: JSON.deepest))
        let place = check.steps.prefix(failure.used).count { $0.word == failure.step.word } - 1
        return routes.indices.contains(place) ? routes[place] : nil
    }
}

// What follows an answer that failed its check: another call in the job's name, a person, or the job's end.
extension Delta {
    /// Moves the job on from `running`; returns the state that it then has.
    mutating func follow(
        _ failure: CheckFailure, _ job: JobRecord, _ answer: Answer?, _ check: CheckSnapshot?
    ) throws -> JobState {
        switch failure.step {
        case .fail:
            end(job.identity, from: .running, .failed, failure.error)
            return .failed
        case .review:
            follow(job, .review, failure)
            return .review
        case .repair, .escalate:
            follow(job, .queued, failure)
            if let check { try callAgain(job, failure, answer, check) }
            return .queued
        }
    }

    private mutating func follow(_ job: JobRecord, _ state: JobState, _ failure: CheckFailure) {
        add(.follow(job: job.id, state, failure.error))
        tallies.moved(lane: job.lane, batch: job.batch, from: .running, to: state)
    }

    /// Puts the next request in the place of the last one, and the job into the lane where it belongs.
    private mutating func callAgain(
        _ job: JobRecord, _ failure: CheckFailure, _ answer: Answer?, _ check: CheckSnapshot
    ) throws {
        var sent = check.sent
        let request: [UInt8]
        if let escalation = check.escalation {
            request = try NextRequest.escalation(of: sent.own, to: escalation.model)
            add(.move(JobMove(job: job.id, from: job.lane, state: .queued, place: escalation.place)))
            // Another lane, another chain.
            add(.leaveChain(job: job.id))
        } else {
            request = try NextRequest.repair(
                sent.bytes, answer: answer?.body ?? [], reason: failure.reason)
        }
        add(try sent.follow(with: request, source: failure.step.word))
    }
}
