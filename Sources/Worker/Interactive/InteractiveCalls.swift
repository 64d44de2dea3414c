import Jobs
import Synchronization

/// Where callers' jobs come in: those that come at once are entered in one transaction.
final class InteractiveCalls: Sendable {
    private struct Entry {
        let job: NewJob
        let done: CheckedContinuation<SubmittedCall, any Error>
    }

    private struct State {
        var session: WorkerSession?
        var isClosed = false
        var entries: [Entry] = []
        var isEntering = false
    }

    /// Jobs entered in one transaction.
    private static let limit = 64

    private let state = Mutex(State())
    private let answers = Mutex<[JobID: Held]>([:])

    /// An answer, and how many hold it.
    private struct Held {
        let live: AnswerBroadcast
        var holders = 0
    }

    func open(_ session: WorkerSession) {
        let shouldEnter = state.withLock { state in
            state.session = session
            guard !state.entries.isEmpty, !state.isEntering else { return false }
            state.isEntering = true
            return true
        }
        if shouldEnter { Task { await enterAll() } }
    }

    /// Refuses calls that come from now on.
    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.entries = [] }
            return state.entries
        }
        for entry in left { entry.done.resume(throwing: Self.closed) }
    }

    /// Throws `JobStoreError`; before the worker is registered it waits for that.
    func submit(_ job: NewJob) async throws -> SubmittedCall {
        try await withCheckedThrowingContinuation { done in
            enum Next { case refuse, start, wait }
            let next: Next = state.withLock { state in
                guard !state.isClosed else { return .refuse }
                state.entries.append(Entry(job: job, done: done))
                guard state.session != nil, !state.isEntering else { return .wait }
                state.isEntering = true
                return .start
            }
            switch next {
            case .refuse: done.resume(throwing: Self.closed)
            // On to the writer without a change of threads.
            case .start: Task.immediate { await enterAll() }
            case .wait: break
            }
        }
    }

    /// The answer to a job that is this process's to make, whether its call has begun or not.
    func answer(to job: JobID) -> BroadcastSubscription {
        answers.withLock { answers in
            var held = answers[job] ?? Held(live: AnswerBroadcast())
            held.holders += 1
            answers[job] = held
            return BroadcastSubscription(held.live, of: job, self)
        }
    }

    /// How many answers somebody holds.
    var count: Int { answers.withLock { $0.count } }

    private func known(_ job: JobID) -> BroadcastSubscription? {
        answers.withLock { answers in
            guard var held = answers[job] else { return nil }
            held.holders += 1
            answers[job] = held
            return BroadcastSubscription(held.live, of: job, self)
        }
    }

    /// One who held it does so no more.
    func letGo(of job: JobID, _ live: AnswerBroadcast) {
        answers.withLock { answers in
            guard var held = answers[job], held.live === live else { return }
            held.holders -= 1
            answers[job] = held.holders > 0 ? held : nil
        }
    }

    /// Whoever comes now finds the record, and a further attempt begins a further answer.
    func retire(_ job: JobID, _ live: AnswerBroadcast) {
        answers.withLock { answers in
            if answers[job]?.live === live { answers[job] = nil }
        }
    }

    private static let closed = JobStoreError(.closed, "the server stops")

    private func enterAll() async {
        while let (session, entries) = take() { await enter(entries, session) }
    }

    private func take() -> (WorkerSession, [Entry])? {
        state.withLock { state in
            guard let session = state.session, !state.entries.isEmpty else {
                state.isEntering = false
                return nil
            }
            let taken = Array(state.entries.prefix(Self.limit))
            state.entries.removeFirst(taken.count)
            return (session, taken)
        }
    }

    private func enter(_ entries: [Entry], _ session: WorkerSession) async {
        do {
            let slotUsage = session.inFlight.slotUsage
            let request = session.request(
                slotUsage.freeSlots(of: session.settings.slots), running: slotUsage.open)
            let entrance = try await session.store.enqueueAndClaim(entries.map(\.job), claiming: request)
            let entered = zip(entries, entrance.outcomes).map { entry, outcome in
                let state = outcome.id.flatMap { entrance.states[$0] }
                return SubmittedCall(
                    outcome: outcome, state: state, answer: live(for: outcome.id, state, entrance))
            }
            session.begin(entrance.claim.attempts)
            for (entry, call) in zip(entries, entered) { entry.done.resume(returning: call) }
            if entrance.states.values.contains(.queued) { session.signal.notify() }
        } catch {
            for entry in entries { entry.done.resume(throwing: error) }
        }
    }

    /// Before the claimed attempts begin, so that clients that wait get them from the start.
    private func live(for id: JobID?, _ state: JobState?, _ entrance: EnqueueAndClaimResult)
        -> BroadcastSubscription?
    {
        guard let id, let state else { return nil }
        let isClaimed = entrance.claim.attempts.contains { $0.key.job == id }
        return isClaimed || state == .queued ? answer(to: id) : known(id)
    }
}

/// One that holds an answer; when the last one lets go, it is forgotten.
final class BroadcastSubscription: AnswerSubscription {
    let live: AnswerBroadcast
    private let job: JobID
    private let interactive: InteractiveCalls

    init(_ live: AnswerBroadcast, of job: JobID, _ interactive: InteractiveCalls) {
        self.live = live
        self.job = job
        self.interactive = interactive
    }

    deinit {
        interactive.letGo(of: job, live)
    }

    var head: AnswerHead? { live.head }

    func news(after count: Int) async throws -> AnswerNews { try await live.news(after: count) }
    func ending() async throws -> AnswerEnding { try await live.ending() }
}
