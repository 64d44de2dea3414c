package import Jobs
import Synchronization
package import Telemetry

/// Claims jobs for its free slots, has them called, and settles what came of it.
///
/// One instance, one run. Everything it does goes on beside everything else: one loop claims, each attempt is
/// a task
/// of its own, and four small duties keep leases, look for revoked jobs, give up what is overdue and reap.
/// Cancelling the task of `run` is how a worker is asked to stop: the calls themselves are not torn down by
/// it.
package final class Worker: InteractiveQueue {
    private let store: any Working
    private let caller: any ModelCaller
    private let settings: WorkerSettings
    private let log: Log
    private let batches: ProviderBatchSettings?
    private let runState = RunState()

    package init(
        store: any Working, caller: any ModelCaller, settings: WorkerSettings, log: Log,
        batches: ProviderBatchSettings? = nil
    ) {
        self.batches = batches
        self.store = store
        self.caller = caller
        self.settings = settings
        self.log = log
    }

    /// Works until its task is cancelled; then finishes calls in flight within the grace period and hands the
    /// rest back.
    ///
    /// Throws only if work is impossible: the store refuses the worker for good.
    package func run() async throws {
        let work = Task { try await self.work() }
        try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            runState.give(.drain)
        }
    }

    /// Ends at once: calls are aborted and nothing is handed back; the leases expire.
    package func stopNow() {
        runState.give(.stop)
    }

    /// Says that there may be something to claim; the store's changes say so too, a little later.
    package func wake() {
        runState.signal.notify()
    }

    /// For a worker of its own line: what callers bring it.
    package func submit(_ job: NewJob) async throws -> SubmittedCall {
        try await runState.interactive.submit(job)
    }

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? {
        try await caller.countTokens(request, on: route, betas: betas)
    }

    package func answer(to job: JobID) -> any AnswerSubscription {
        runState.interactive.answer(to: job)
    }

    private func work() async throws {
        defer { runState.interactive.close() }
        guard let id = try await register() else { return }
        let session = WorkerSession(
            store: store, caller: caller, settings: settings, log: log, worker: id,
            runState: runState, batches: batches)
        runState.interactive.open(session)
        await session.run()
        guard runState.current == .drain else { return }
        do {
            try await store.unregister(id)
        } catch {
            // Nothing depends on it: a worker that is not heard of counts as dead before long.
            log.warning("worker could not be unregistered", ["error": "\(error)"])
        }
    }

    /// Nil if the worker was told to stop before it could begin.
    private func register() async throws -> WorkerID? {
        var worker = NewWorker(
            name: settings.name, host: settings.host, processID: settings.processID, slots: settings.slots,
            partition: settings.partition, services: caller.services)
        worker.fingerprints = caller.fingerprints
        var backoff = Backoff(cap: 1000)
        while runState.current == .work {
            do {
                let id = try await store.register(worker)
                runState.absence.ended(log)
                return id
            } catch let error as JobStoreError where error.mayPass {
                runState.absence.failed(.warning, "worker could not be registered", error, log)
                await pause(backoff.next())
            }
        }
        return nil
    }
}

/// What the worker was last told; an order is never softened.
final class RunState: Sendable {
    enum Phase: Int, Comparable {
        case work, drain, stop

        static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
    }

    /// Rings at a new order, a free slot, a change in the store: whatever the claiming loop waits for.
    let signal = Signal()
    let inFlight = InFlight()
    let interactive = InteractiveCalls()
    let absence = StoreAbsence()
    private let order = Mutex(Phase.work)

    var current: Phase { order.withLock { $0 } }

    func give(_ new: Phase) {
        order.withLock { $0 = max($0, new) }
        if new == .stop { inFlight.abort(inFlight.keys, .stopped) }
        signal.notify()
    }
}

extension JobStoreError {
    /// Whether the same may work later: the disk may get room again.
    var mayPass: Bool { [.full, .unavailable, .locked, .moved].contains(code) }
}
