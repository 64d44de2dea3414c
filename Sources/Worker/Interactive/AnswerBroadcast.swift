import Jobs
import Synchronization

/// An answer as it grows, kept whole until the last reader and the call itself have let go of it.
final class AnswerBroadcast: AnswerListener {
    private struct State {
        var head: AnswerHead?
        var events: [AnswerEvent] = []
        var isTold = false
        /// Another attempt answers: what came of this one counts for nothing.
        var isSealed = false
        var ending: AnswerEnding?
        var readers: [Int: CheckedContinuation<Void, Never>] = [:]
        var lastReader = 0
    }

    private let state = Mutex(State())
    // MARK: The call's side

    func began(_ head: AnswerHead) {
        state.withLock { if $0.events.isEmpty { $0.head = head } }
    }

    func heard(_ event: AnswerEvent) {
        wake { $0.events.append(event) }
    }

    func end(_ ending: AnswerEnding) {
        wake { $0.ending = $0.ending ?? ending }
    }

    /// Whether a reader has got a part of the answer.
    var isTold: Bool { state.withLock { $0.isTold } }

    /// From now on nobody gets a part of it who had none; returns whether somebody has.
    func sealUnlessTold() -> Bool {
        state.withLock { state in
            state.isSealed = !state.isTold
            return state.isTold
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let readers = state.withLock { state in
            change(&state)
            defer { state.readers = [:] }
            return state.readers.values
        }
        for reader in readers { reader.resume() }
    }

    // MARK: The readers' side

    var head: AnswerHead? { state.withLock { $0.head } }

    func news(after count: Int) async throws -> AnswerNews {
        try await value { state in
            if state.events.count > count, !state.isSealed {
                state.isTold = true
                return .events(Array(state.events[count...]))
            }
            return state.ending.map { .ended($0) }
        }
    }

    func ending() async throws -> AnswerEnding {
        try await value { $0.ending }
    }

    private func value<Value: Sendable>(_ read: @Sendable (inout State) -> Value?) async throws -> Value {
        while true {
            if let value = state.withLock({ read(&$0) }) { return value }
            try Task.checkCancellation()
            await change { state in
                var state = state
                return read(&state) == nil
            }
        }
    }

    /// Returns at the next change, when the task is cancelled, or at once if nobody needs to wait any more.
    private func change(while isWaiting: @Sendable (State) -> Bool) async {
        let number = state.withLock { state in
            state.lastReader += 1
            return state.lastReader
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let waits = state.withLock { state in
                    guard isWaiting(state), !Task.isCancelled else { return false }
                    state.readers[number] = reader
                    return true
                }
                if !waits { reader.resume() }
            }
        } onCancel: {
            state.withLock { $0.readers.removeValue(forKey: number) }?.resume()
        }
    }
}
