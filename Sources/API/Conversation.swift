import HTTPServer
import Jobs

/// An interactive call: a job whose caller waits for its answer.
///
/// It is entered into this process's own line, done here, and settled before its last byte is sent. Whoever hangs up
/// leaves a job that finishes; one that has not begun, and that nobody can come back for, is cancelled.
struct Conversation {
    let api: API
    let desk: any CallDesk
    let job: NewJob
    /// Whether the caller takes the answer as it comes.
    let streams: Bool

    /// What the caller gets.
    enum Reply {
        case whole(Recorded)
        case stream(any LiveAnswer, JobID)
    }

    /// A whole answer and what is known of it.
    struct Recorded {
        var id: JobID
        var body: [UInt8]
        var model: String?
        var isCached = false
        var cost: Money?
        var attempt: Int?
        var head: AnswerHead?
    }

    /// Throws `Problem` and `CallFailure`.
    func reply() async throws -> Reply {
        // Whatever happens meanwhile: the caller waits for its turn no longer than that altogether.
        let patience = api.clock.now().timestamp + api.settings.interactiveWait
        let entered = try await desk.enter(job)
        if let problem = Problem(entered.outcome) { throw problem }
        guard let id = entered.outcome.id, let state = entered.state else {
            throw Problem(.unknownJob, "the job was deleted in the meantime")
        }
        do {
            if state == .running, let answer = entered.answer, let reply = try await next(of: answer, id) {
                return reply
            }
            return try await wait(for: id, state, until: patience)
        } catch is CancellationError {
            try await leave(id)
            throw CancellationError()
        }
    }

    // MARK: Waiting

    private func wait(for id: JobID, _ first: JobState, until patience: Timestamp) async throws -> Reply {
        if first == .queued { try await refuseWhatIsInVain(id, until: patience) }
        while true {
            switch try await event(of: id, until: patience) {
            case .reply(let reply): return reply
            case .atRest: return try await recorded(id)
            case .askRecord: if let reply = try await recordedIfAtRest(id) { return reply }
            case .timeUp:
                guard let job = try await api.store.job(id, now: api.clock.now()) else { throw Self.deleted }
                if job.state == .queued { throw try await refusal(job) }
            }
        }
    }

    private enum Event: Sendable {
        case reply(Reply)
        case atRest
        /// The call came to its end here, and the job went on.
        case askRecord
        case timeUp
    }

    /// How often a call that is being made when its time in line is up is looked at.
    private static let look: Milliseconds = 1_000

    private func event(of id: JobID, until patience: Timestamp) async throws -> Event {
        let time = max(Self.look, patience - api.clock.now().timestamp)
        return try await withThrowingTaskGroup(of: Event.self) { group in
            let answer = desk.answer(to: id)
            group.addTask { try await next(of: answer, id).map { .reply($0) } ?? .askRecord }
            group.addTask {
                try await api.waiters.wait(for: [id], milliseconds: time) ? .atRest : .timeUp
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .askRecord
        }
    }

    /// What comes of an answer that is made here; nil where the record tells.
    private func next(of answer: any LiveAnswer, _ id: JobID) async throws -> Reply? {
        let ending: AnswerEnding
        if streams {
            guard case .ended(let end) = try await answer.news(after: 0) else { return .stream(answer, id) }
            ending = end
        } else {
            ending = try await answer.ending()
        }
        switch ending {
        case .answered(let whole, let cost, let attempt):
            return .whole(
                Recorded(
                    id: id, body: whole.body, model: whole.model, cost: cost, attempt: attempt,
                    head: answer.head))
        case .broken, .elsewhere: return nil
        }
    }

    // MARK: The record

    private func recorded(_ id: JobID) async throws -> Reply {
        if let reply = try await recordedIfAtRest(id) { return reply }
        throw Self.deleted
    }

    private func recordedIfAtRest(_ id: JobID) async throws -> Reply? {
        guard let job = try await api.store.job(id, now: api.clock.now()) else { throw Self.deleted }
        switch job.state {
        case .succeeded:
            return .whole(
                Recorded(
                    id: id, body: job.response ?? [], model: job.model, isCached: job.cached, cost: job.cost,
                    attempt: job.attempt))
        case .failed: throw CallFailure(job)
        case .cancelled: throw CallFailure(.cancelled, job: id)
        case .review: throw CallFailure(.inReview, job: id)
        case .queued, .running: return nil
        }
    }

    private static let deleted = Problem(.unknownJob, "the job was deleted in the meantime")

    // MARK: Limits

    /// What will not open while the caller waits is said at once.
    private func refuseWhatIsInVain(_ id: JobID, until patience: Timestamp) async throws {
        guard let job = try await api.store.job(id, now: api.clock.now()), job.state == .queued,
            let waiting = job.waitingFor
        else { return }
        switch waiting.gate {
        case .pause, .budget: if waiting.until.map({ $0 > patience }) ?? true { throw try await refusal(job) }
        default: break
        }
    }

    /// The job leaves the line with its caller, unless that one can come back for it.
    private func refusal(_ job: Job) async throws -> any Error {
        try await leave(job.id)
        let waiting = job.waitingFor
        let seconds = waiting?.until.map { ($0 - api.clock.now().timestamp + 999) / 1000 } ?? 5
        var problem = Problem(
            .limitReached,
            "the call waited in line and its turn did not come: \(waiting?.detail ?? "the limits are reached")"
        )
        .withHeader("retry-after", String(min(60, max(1, seconds))))
        .withHeader("x-renga-job", job.id.description)
        if waiting?.gate == .budget || waiting?.gate == .pause {
            problem = problem.withHeader("x-should-retry", "false")
        }
        return problem
    }

    private func leave(_ id: JobID) async throws {
        guard job.idempotency == nil else { return }
        _ = try await api.store.withdraw(id, now: api.clock.now())
    }
}

/// A job that ended without an answer, as its caller is told.
struct CallFailure: Error {
    var status: Int
    var type: String
    var message: String
    var requestID: String?
    var isWorthRetrying: Bool
    var job: JobID?

    init(_ job: Job) {
        self.init(job.error ?? .unknown, job: job.id)
    }

    init(_ error: JobError, job: JobID?) {
        status = Self.status(of: error)
        type = ProviderError.types.contains(error.type) ? error.type : ProviderError.type(of: status)
        message = error.message
        requestID = error.requestID
        isWorthRetrying = error.retryable
        self.job = job
    }

    /// The provider's own status where it gave one.
    private static func status(of error: JobError) -> Int {
        if let status = error.status, status >= 400 { return status }
        switch error.type {
        case "deadline_exceeded", "timeout_error": return 504
        case "never_affordable", "max_cost_reached", "billing_error": return 402
        case "invalid_request_error", Breakage.Kind.unsendable.errorType: return 400
        case "authentication_error": return 401
        case "permission_error": return 403
        case "not_found_error": return 404
        case "conflict_error", JobError.cancelled.type, JobError.inReview.type: return 409
        case "request_too_large": return 413
        case "rate_limit_error": return 429
        case "api_error": return 500
        case "overloaded_error": return 529
        default: return 502
        }
    }

    func response(_ words: ErrorWords, requestID own: String) -> Response {
        var response = words.response(
            status: status, type: type, message: message, requestID: requestID ?? own)
        response.headers["request-id"] = requestID ?? own
        if let job { response.headers["x-renga-job"] = job.description }
        if !isWorthRetrying { response.headers["x-should-retry"] = "false" }
        return response
    }
}

extension JobError {
    static let cancelled = JobError(
        type: "cancelled", message: "the job was cancelled before it was done", retryable: false)
    static let inReview = JobError(
        type: "in_review", message: "the answer did not pass its check and waits for a person's decision",
        retryable: false)
    static let unknown = JobError(type: "api_error", message: "the job failed", retryable: false)
}
