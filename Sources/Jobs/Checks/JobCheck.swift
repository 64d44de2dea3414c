import JSON

/// A check as a job or a queue asks for it: as it was sent, and where its escalations lead.
package struct NewCheck: Hashable, Sendable {
    /// JSON that `Check` has read.
    package var rules: [UInt8]
    /// One route for each escalation, in order.
    package var routes: [RouteKey]

    package init(rules: [UInt8], routes: [RouteKey] = []) {
        self.rules = rules
        self.routes = routes
    }
}

/// The check that an attempt's answer will be held to.
package struct OpenCheck: Hashable, Sendable {
    package var rules: [UInt8]
    /// How many of its steps were used by failures before.
    package var used: Int

    package init(rules: [UInt8], used: Int) {
        self.rules = rules
        self.used = used
    }
}

/// What a job's check has come to.
package struct JobCheck: Hashable, Sendable {
    /// As it was sent.
    package var rules: [UInt8]
    /// Nil before the first answer, and if a person decided against it.
    package var passed: Bool?
    /// What was wrong with the newest answer that failed.
    package var reason: String?
    /// What the newest answer came from: `first`, `repair`, `escalate`, or `review` for a person's own.
    package var step: String?
    /// How many of its steps failures have used.
    package var used: Int
    package var review: Review?

    package struct Review: Hashable, Sendable {
        package var action: String
        package var note: String?
        package var at: Timestamp

        package init(action: String, note: String?, at: Timestamp) {
            self.action = action
            self.note = note
            self.at = at
        }
    }

    package init(
        rules: [UInt8], passed: Bool? = nil, reason: String? = nil, step: String? = nil, used: Int = 0,
        review: Review? = nil
    ) {
        self.rules = rules
        self.passed = passed
        self.reason = reason
        self.step = step
        self.used = used
        self.review = review
    }
}

/// An answer that failed its check, and what follows.
package struct CheckFailure: Hashable, Sendable {
    package var reason: String
    package var step: CheckStep
    /// How many steps are used with this one.
    package var used: Int

    package init(reason: String, step: CheckStep, used: Int) {
        self.reason = reason
        self.step = step
        self.used = used
    }

    package var error: JobError {
        JobError(
            type: "check_failed", message: "the answer did not pass its check: \(reason)", retryable: true)
    }
}

extension OpenCheck {
    /// What is wrong with an answer, and what follows; nil if it passes.
    package func failure(of answer: [UInt8], to request: [UInt8]) -> CheckFailure? {
        guard let json = try? JSON.parse(rules, maxDepth: JSON.deepest), let check = try? Check(json) else {
            // Written by a newer renga. An unchecked answer did not pass.
            return CheckFailure(reason: "this version cannot read the check", step: .fail, used: used)
        }
        guard let reason = check.reason(about: answer, to: request) else { return nil }
        guard used < check.steps.count else {
            return CheckFailure(reason: reason, step: .fail, used: used)
        }
        return CheckFailure(reason: reason, step: check.steps[used], used: used + 1)
    }
}

extension Decision {
    /// The decision once the answer was held to the attempt's check, if it has one.
    ///
    /// What the outcome says of the route stays: an answer came.
    package func checked(_ answer: Answer?, of attempt: ClaimedAttempt) -> Decision {
        guard verdict == .succeeded, let answer, let check = attempt.check,
            let failure = check.failure(of: answer.body, to: attempt.request)
        else { return self }
        var decision = self
        decision.verdict = .rejected(failure)
        return decision
    }
}

/// What a person decides of an answer in review.
package enum ReviewAction: Hashable, Sendable {
    /// The answer counts as it is.
    case approve
    /// This Message counts in its place.
    case edit(message: [UInt8])
    /// The same with its text alone replaced.
    case rewrite(text: String)
    /// The job fails.
    case reject

    package var word: String {
        switch self {
        case .approve: "approve"
        case .edit, .rewrite: "edit"
        case .reject: "reject"
        }
    }
}
