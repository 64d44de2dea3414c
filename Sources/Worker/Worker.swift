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
package final class Worker: CallDesk {
    private let store: any JobStore
    private let caller: any ModelCaller
    private let clock: any Clock
    private let settings: WorkerSettings
    private let log: Log
    private let batches: Batches?
    private let orders = Orders()

    package init(
        store: any JobStore, caller: any ModelCaller, clock: any Clock, settings: WorkerSettings, log: Log,
        batches: Batches? = nil
    ) {
        self.batches = batches
        self.store = store
        self.caller = caller
        self.clock = clock
        self.settings = settings
        self.log = log
    }

    /// Works until its task is cancelled; then finishes calls in flight within the grace period and hands the
    /// rest back.
    ///
    /// Throws only where work is impossible: the store refuses the worker for good.
    package func run() async throws {
        let work = Task { try await self.work() }
        try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            orders.give(.drain)
        }
    }

    /// Ends at once: calls are aborted and nothing is handed back; the leases expire.
    package func stopNow() {
        orders.give(.stop)
    }

    /// Says that there may be something to claim; the store's changes say so too, a little later.
    package func wake() {
        orders.bell.ring()
    }

    /// For a worker of its own line: what callers bring it.
    package func enter(_ job: NewJob) async throws -> EnteredCall {
        try await orders.desk.enter(job)
    }

    package func countTokens(
        _ request: [UInt8], on route: RouteKey, betas: [String]
    ) async throws -> PassedAnswer? {
        try await caller.countTokens(request, on: route, betas: betas)
    }

    package func answer(to job: JobID) -> any LiveAnswer {
        orders.desk.answer(to: job)
    }

    private func work() async throws {
        defer { orders.desk.close() }
        guard let id = try await register() else { return }
        let shift = Shift(
            store: store, caller: caller, clock: clock, settings: settings, log: log, worker: id,
            orders: orders, batches: batches)
        orders.desk.open(shift)
        await shift.run()
        guard orders.current == .drain else { return }
        do {
            try await store.unregister(id, now: clock.now())
        } catch {
            // Nothing depends on it: a worker that is not heard of counts as dead before long.
            log.warning("worker could not be unregistered", ["error": "\(error)"])
        }
    }

    /// Nil where the worker was told to stop before it could begin.
    private func register() async throws -> WorkerID? {
        var worker = NewWorker(
            name: settings.name, host: settings.host, processID: settings.processID, slots: settings.slots,
            line: settings.line, services: caller.services)
        worker.fingerprints = caller.fingerprints
        var backoff = Backoff(cap: 1000)
        while orders.current == .work {
            do {
                return try await store.register(worker, now: clock.now())
            } catch let error as JobStoreError where error.mayPass {
                log.warning("worker could not be registered", ["error": "\(error)"])
                await pause(backoff.next())
            }
        }
        return nil
    }
}

/// What the worker was last told; an order is never softened.
final class Orders: Sendable {
    enum Order: Int, Comparable {
        case work, drain, stop

        static func < (a: Order, b: Order) -> Bool { a.rawValue < b.rawValue }
    }

    /// Rings at a new order, a free slot, a change in the store: whatever the claiming loop waits for.
    let bell = Bell()
    let roster = Roster()
    let desk = Desk()
    private let order = Mutex(Order.work)

    var current: Order { order.withLock { $0 } }

    func give(_ new: Order) {
        order.withLock { $0 = max($0, new) }
        if new == .stop { roster.abort(roster.keys, .stopped) }
        bell.ring()
    }
}

extension JobStoreError {
    /// Whether the same may work later: the disk may get room again.
    var mayPass: Bool { [.full, .unavailable, .locked, .moved].contains(code) }
}
