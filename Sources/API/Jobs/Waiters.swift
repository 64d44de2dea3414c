import Jobs
import Telemetry

/// Those who wait for jobs to end, woken together: a change of the store costs one read for all of them.
///
/// Whoever waits registers first and reads afterwards, so that no end falls between the two.
actor Waiters {
    private let store: any Reading
    private let log: Log
    private var waiting: [Int: Waiter] = [:]
    private var lastNumber = 0

    private struct Waiter {
        var jobs: Set<JobID>
        var done: CheckedContinuation<Bool, Never>?
    }

    init(store: any Reading, log: Log) {
        self.store = store
        self.log = log
    }

    /// How many wait at this moment.
    var count: Int { waiting.count }

    /// Returns true as soon as every job has ended, waits for a person, or is not known, false when the time is up.
    ///
    /// Throws `CancellationError` when the task is cancelled, and the store's errors.
    func wait(for jobs: [JobID], milliseconds: Milliseconds) async throws -> Bool {
        lastNumber += 1
        let number = lastNumber
        waiting[number] = Waiter(jobs: Set(jobs))
        defer { waiting[number] = nil }
        let states = try await store.states(of: jobs)
        if take(states, asked: jobs, for: number) { return true }
        let alarm = Task {
            // Cancelled means that the wait is over: there is nothing to ring for.
            try await Task.sleep(for: .milliseconds(milliseconds))
            finish(number, false)
        }
        defer { alarm.cancel() }
        let isDone = await withTaskCancellationHandler {
            await suspend(number)
        } onCancel: {
            Task { await finish(number, false) }
        }
        try Task.checkCancellation()
        return isDone
    }

    /// Ends when the task is cancelled or the store is closed.
    func run() async {
        for await _ in store.changes() where !waiting.isEmpty {
            let clock = ContinuousClock()
            let start = clock.now
            await check()
            // At most a third of the time goes into reading, however many changes there are.
            let pause = max(.milliseconds(2), (clock.now - start) * 2)
            guard (try? await Task.sleep(for: pause)) != nil else { return }
        }
    }
}

extension Waiters {
    private func check() async {
        let asked = Array(Set(waiting.values.flatMap(\.jobs)))
        let before = lastNumber
        do {
            let states = try await store.states(of: asked)
            // Whoever came during the read was not asked for, and reads for itself.
            for number in waiting.keys where number <= before {
                if take(states, asked: asked, for: number) { finish(number, true) }
            }
        } catch {
            log.warning("states of awaited jobs could not be read", ["error": "\(error)"])
        }
    }

    /// Strikes off what has ended or is gone; true when nothing is left to wait for.
    private func take(_ states: [JobID: JobState], asked: [JobID], for number: Int) -> Bool {
        guard var waiter = waiting[number] else { return true }
        waiter.jobs = waiter.jobs.filter { states[$0].map { !$0.isAtRest } ?? false }
        waiting[number] = waiter
        return waiter.jobs.isEmpty
    }

    private func suspend(_ number: Int) async -> Bool {
        await withCheckedContinuation { done in
            // Already finished: cancelled or woken between the first read and here.
            guard let waiter = waiting[number], !waiter.jobs.isEmpty, !Task.isCancelled else {
                return done.resume(returning: waiting[number]?.jobs.isEmpty ?? false)
            }
            waiting[number]?.done = done
        }
    }

    private func finish(_ number: Int, _ isDone: Bool) {
        waiting[number]?.done?.resume(returning: isDone)
        waiting[number]?.done = nil
    }
}
