import Synchronization

/// State that a test changes from anywhere and waits on: woken by the change itself, bounded in time.
final class Observed<State: Sendable>: Sendable {
    private struct Waiter: Sendable {
        let id: Int
        let isMet: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct Inner {
        var state: State
        var waiters: [Waiter] = []
        var nextID = 0
    }

    private let inner: Mutex<Inner>

    init(_ state: State) {
        inner = Mutex(Inner(state: state))
    }

    var now: State { inner.withLock(\.state) }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        var met: [Waiter] = []
        defer { for waiter in met { waiter.continuation.resume(returning: true) } }
        return try inner.withLock { inner in
            defer {
                met = inner.waiters.filter { $0.isMet(inner.state) }
                inner.waiters.removeAll { waiter in met.contains { $0.id == waiter.id } }
            }
            return try body(&inner.state)
        }
    }

    /// Whether the state comes to be so within the bound.
    func reaches(within bound: Duration = .seconds(30), _ isMet: @escaping @Sendable (State) -> Bool) async
        -> Bool
    {
        let id = inner.withLock { inner in
            inner.nextID += 1
            return inner.nextID
        }
        let alarm = Task {
            try await Task.sleep(for: bound)
            let late = inner.withLock { inner in
                let late = inner.waiters.first { $0.id == id }
                inner.waiters.removeAll { $0.id == id }
                return late
            }
            late?.continuation.resume(returning: false)
        }
        defer { alarm.cancel() }
        return await withCheckedContinuation { continuation in
            let already = inner.withLock { inner in
                guard !isMet(inner.state) else { return true }
                inner.waiters.append(Waiter(id: id, isMet: isMet, continuation: continuation))
                return false
            }
            if already { continuation.resume(returning: true) }
        }
    }
}
