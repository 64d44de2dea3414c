import Jobs
import Synchronization

/// Wakes one loop: a ring while nobody waits is kept, any number of rings are one.
final class Signal: Sendable {
    private struct State {
        var rung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func notify() {
        let waiter = state.withLock { state in
            state.rung = state.waiter == nil
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Returns at a ring, when the time is up, or when the task is cancelled; now and then without a reason.
    func wait(atMost limit: Milliseconds) async {
        if takeRing() { return }
        let alarm = Task {
            try await Task.sleep(for: .milliseconds(limit))
            notify()
        }
        defer { alarm.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation(park)
        } onCancel: {
            notify()
        }
    }

    private func takeRing() -> Bool {
        state.withLock { state in
            defer { state.rung = false }
            return state.rung
        }
    }

    private func park(_ waiter: CheckedContinuation<Void, Never>) {
        let rungMeanwhile = state.withLock { state in
            precondition(state.waiter == nil, "a bell wakes one loop")
            guard !state.rung else {
                state.rung = false
                return true
            }
            state.waiter = waiter
            return false
        }
        if rungMeanwhile { waiter.resume() }
    }
}
