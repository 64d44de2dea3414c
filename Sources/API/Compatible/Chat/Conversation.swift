import HTTPServer
import Jobs

/// An interactive call: a job whose caller waits for its answer.
///
/// It is entered into this process's own line, done here, and settled before its last byte is sent. Whoever hangs up
/// leaves a job that finishes; one that has not begun, and that nobody can come back for, is cancelled.
struct Conversation {
    let api: API
    let interactive: any InteractiveQueue
    let job: NewJob
    /// Whether the caller takes the answer as it comes.
    let streams: Bool
    /// How long the caller waits for its turn.
    let patience: Milliseconds
    /// The call among those that SDKs may repeat.
    let flight: Repeats.Flight
    /// When the caller came.
    private let start = ContinuousClock.now

    init(
        api: API, interactive: any InteractiveQueue, job: NewJob, streams: Bool, patience: Milliseconds,
        flight: Repeats.Flight
    ) {
        self.api = api
        self.interactive = interactive
        self.job = job
        self.streams = streams
        self.patience = patience
        self.flight = flight
    }

    /// What the caller gets.
    enum Reply {
        case whole(Recorded)
        case stream(any AnswerSubscription, JobID)
    }

    /// A whole answer and what is known of it.
    struct Recorded {
        var id: JobID
        var body: [UInt8]
        var model: String?
        var isCached = false
        /// Whether it was there before this request: it was paid for then.
        var isReplayed = false
        var cost: Money?
        var attempt: Int?
        var head: AnswerHead?
    }

    /// Throws `Problem` and `CallFailure`.
    func reply() async throws -> Reply {
        for id in flight.earlier() {
            if let reply = try await join(id) { return reply }
        }
        let entered = try await interactive.submit(job)
        if let problem = Problem(entered.outcome) { throw problem }
        guard let id = entered.outcome.id, let state = entered.state else {
            throw Problem(.unknownJob, "the job was deleted in the meantime")
        }
        flight.begin(id)
        return try await stayingWith(id) {
            if state == .running, let answer = entered.answer, let reply = try await next(of: answer, id) {
                return reply
            }
            if case .existing = entered.outcome, state.isTerminal { return try await replayed(id) }
            return try await wait(for: id, state)
        }
    }

    /// Leaves the job with its caller, and says what becomes of it if the store fails.
    private func stayingWith(_ id: JobID, _ body: () async throws -> Reply) async throws -> Reply {
        do {
            return try await body()
        } catch is CancellationError {
            try await leave(id)
            throw CancellationError()
        } catch let error as JobStoreError where [.full, .unavailable, .locked].contains(error.code) {
            throw Problem(error, ofTaken: id)
        }
    }

    /// The answer of a call that this one repeats, if it still flies or has just ended well; nil for one that failed.
    private func join(_ id: JobID) async throws -> Reply? {
        guard let job = try await api.store.job(id) else { return nil }
        switch job.state {
        case .running, .queued:
            flight.begin(id)
            return try await stayingWith(id) { try await wait(for: id, job.state) }
        case .succeeded:
            let age = job.finishedAt.map { api.store.now().timestamp - $0 } ?? 0
            return age <= Repeats.memory ? try await replayed(id) : nil
        case .failed, .cancelled, .review: return nil
        }
    }

    // MARK: Waiting

    /// However often a job comes back to the line, its caller waits for its turn once; a call that flies is waited for.
    private func wait(for id: JobID, _ first: JobState) async throws -> Reply {
        if first == .queued { try await refuseWhatIsInVain(id) }
        let end = start + .milliseconds(patience)
        while true {
            let left = Milliseconds((end - ContinuousClock.now) / .milliseconds(1))
            switch try await event(of: id, within: left > 0 ? left : Self.lookAgain) {
            case .reply(let reply): return reply
            case .atRest: return try await recorded(id)
            case .askRecord, .timeUp: if let reply = try await recordedIfAtRest(id) { return reply }
            }
            guard ContinuousClock.now >= end else { continue }
            guard let job = try await api.store.job(id) else { throw Self.deleted }
            if job.state == .queued { throw try await refusal(job) }
        }
    }

    /// How often a call that flies beyond its caller's patience is looked at: another process may make it.
    private static let lookAgain: Milliseconds = 1000

    private enum Event: Sendable {
        case reply(Reply)
        case atRest
        /// The call came to its end here, and the job went on.
        case askRecord
        case timeUp
    }

    private func event(of id: JobID, within limit: Milliseconds) async throws -> Event {
        try await withThrowingTaskGroup(of: Event.self) { group in
            let answer = interactive.answer(to: id)
            group.addTask { try await next(of: answer, id).map { .reply($0) } ?? .askRecord }
            group.addTask {
                try await api.waiters.wait(for: [id], milliseconds: limit)
                    ? .atRest : .timeUp
            }
            defer { group.cancelAll() }
            return try await group.next() ?? .askRecord
        }
    }

    /// What comes of an answer that is made here; nil if the record tells.
    private func next(of answer: any AnswerSubscription, _ id: JobID) async throws -> Reply? {
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

    private func replayed(_ id: JobID) async throws -> Reply {
        guard case .whole(var answer) = try await recorded(id) else { throw Self.deleted }
        answer.isReplayed = true
        answer.cost = .zero
        return .whole(answer)
    }

    private func recorded(_ id: JobID) async throws -> Reply {
        if let reply = try await recordedIfAtRest(id) { return reply }
        throw Self.deleted
    }

    private func recordedIfAtRest(_ id: JobID) async throws -> Reply? {
        guard let job = try await api.store.job(id) else { throw Self.deleted }
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
    private func refuseWhatIsInVain(_ id: JobID) async throws {
        guard let job = try await api.store.job(id), job.state == .queued,
            let waiting = job.waitingFor
        else { return }
        let patience = api.store.now().timestamp + patience
        switch waiting.reason {
        case .pause, .budget, .providerSpendLimit:
            if waiting.until.map({ $0 > patience }) ?? true { throw try await refusal(job) }
        default: break
        }
    }

    /// The job leaves the line with its caller, unless that one can come back for it.
    private func refusal(_ job: Job) async throws -> any Error {
        let waiting = job.waitingFor
        let isFinal = [.budget, .providerSpendLimit, .pause].contains(waiting?.reason)
        try await leave(job.id, whateverKey: isFinal)
        let seconds = waiting?.until.map { ($0 - api.store.now().timestamp + 999) / 1000 } ?? 5
        var problem = Problem(job.waitsForProvider ? .providerDown : .limitReached, job.reasonOfRefusal)
            .withHeader("x-renga-job", job.id.description)
        problem =
            isFinal
            ? problem.withHeader("x-should-retry", "false")
            : problem.withHeader("retry-after", String(min(60, max(1, seconds))))
        return problem
    }

    /// A caller with a key may come back for the job, unless the answer says that this is in vain.
    ///
    /// One that comes back all the same has the job reopened.
    private func leave(_ id: JobID, whateverKey: Bool = false) async throws {
        guard whateverKey || job.idempotency == nil, flight.isAlone(with: id) else { return }
        _ = try await api.store.cancelIfQueued(id)
    }
}

extension Job {
    /// What its caller waited for in vain: what the provider said last, rather than the gate of this moment.
    fileprivate var reasonOfRefusal: String {
        let detail = waitingFor?.detail
        if let error, attempt > 0 {
            let status = error.status.map { " \($0)" } ?? ""
            let gate = detail.map { "; it waits for \($0)" } ?? ""
            return
                "the call was tried \(attempt == 1 ? "once" : "\(attempt) times") and the provider last answered\(status) \(error.type): \(error.message)\(gate)"
        }
        return waitsForProvider
            ? "the provider did not answer while the call waited: \(detail ?? "its calls fail")"
            : "the call's turn does not come in time: \(detail ?? "the limits are reached")"
    }

    /// Whether it waits because its calls fail, and not because a limit is reached.
    fileprivate var waitsForProvider: Bool {
        if let status = error?.status, attempt > 0, status == 429 || status == 402 { return false }
        return switch waitingFor?.reason {
        case .breaker, .retry: true
        case .worker, .schedule, .concurrency: attempt > 0
        case .budget, .providerSpendLimit, .pause, .batch, .rateLimit, .identicalPrompt, nil: false
        }
    }
}

extension Problem {
    /// The store failed after the job was taken in: it goes on, and a second one would be paid for too.
    fileprivate init(_ error: JobStoreError, ofTaken id: JobID) {
        self.init(error)
        detail =
            "the database cannot be written to at the moment. Job \(id) was taken in before, and goes on when it can: "
            + "read it with `renga show \(id)`, or end it with `renga cancel \(id)`"
        headers = [("x-renga-job", id.description), ("x-should-retry", "false")]
    }
}
