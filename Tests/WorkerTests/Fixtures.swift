import Jobs
import Telemetry
import Worker

/// The real passing of time, counted from the test's start on both clocks.
struct RunningClock: Jobs.Clock {
    private let start = ContinuousClock.now
    private let epoch: Int64 = 1_790_000_000_000

    func now() -> Now {
        let passed = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return Now(
            timestamp: Timestamp(milliseconds: epoch + passed),
            moment: Moment(epoch: 1, milliseconds: 1000 + passed))
    }
}

/// Calls that do as the test says, and a tally of them.
struct FakeCaller: ModelCaller {
    struct Tally: Sendable {
        var inFlight: Set<AttemptKey> = []
        var begun: [AttemptKey] = []
        var most = 0
        var aborted: Set<AttemptKey> = []
    }

    static let service = ServiceKey(provider: "fake", endpoint: "none", credential: "KEY", simulated: true)

    let tally = Observed(Tally())
    let services = [service]
    let body: @Sendable (ClaimedAttempt) async -> Outcome

    init(_ body: @escaping @Sendable (ClaimedAttempt) async -> Outcome = { _ in .answered }) {
        self.body = body
    }

    /// Calls that never end by themselves.
    static func endless() -> FakeCaller {
        FakeCaller { _ in
            try? await Task.sleep(for: .seconds(600))
            return Outcome(.abandoned(sent: true))
        }
    }

    func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        tally.change {
            $0.begun.append(attempt.key)
            $0.inFlight.insert(attempt.key)
            $0.most = max($0.most, $0.inFlight.count)
        }
        let outcome = await body(attempt)
        tally.change {
            $0.inFlight.remove(attempt.key)
            if Task.isCancelled { $0.aborted.insert(attempt.key) }
        }
        return outcome
    }
}

extension Outcome {
    static var answered: Outcome {
        let usage = Usage(inputTokens: 3, outputTokens: 1)
        return Outcome(
            .answer(Answer(body: Array("{}".utf8), model: "m", usage: usage, stopReason: "end_turn")))
    }
}

extension AttemptKey {
    static func number(_ job: Int64) -> AttemptKey { AttemptKey(job: JobID(job), number: 1) }
}

/// A worker at work on a fake store.
struct StoreHarness {
    let store = FakeStore()
    let caller: FakeCaller
    let worker: Worker
    let lease: Milliseconds

    init(
        _ caller: FakeCaller = FakeCaller(), slots: Int = 4, lease: Milliseconds = 30_000,
        grace: Milliseconds = 0, log: Log = .silent
    ) {
        self.caller = caller
        self.lease = lease
        worker = Worker(
            store: store, caller: caller,
            settings: WorkerSettings(
                name: "w", host: "h", processID: 1, slots: slots, lease: lease, grace: grace,
                retry: RetryPolicy(base: 10, cap: 20)),
            log: log)
    }

    func attempt(_ job: Int64, deadlineIn: Milliseconds? = nil, alone: Bool = false) -> ClaimedAttempt {
        let now = store.now()
        return ClaimedAttempt(
            key: .number(job), queue: "default", route: RouteKey(service: FakeCaller.service, model: "m"),
            request: [],
            maxTokens: 10, openedAt: now.timestamp, leaseUntil: now.moment + lease,
            deadline: deadlineIn.map { now.timestamp + $0 },
            failures: 0, alone: alone)
    }

    func attempts(_ jobs: ClosedRange<Int64>) -> [ClaimedAttempt] { jobs.map { attempt($0) } }

    /// Runs the worker beside the body, then asks it to stop and waits for its end.
    func work<Result>(_ body: () async throws -> Result) async throws -> Result {
        let running = Task { try await worker.run() }
        let result: Result
        do {
            result = try await body()
        } catch {
            worker.stopNow()
            try await running.value
            throw error
        }
        running.cancel()
        try await running.value
        return result
    }
}
