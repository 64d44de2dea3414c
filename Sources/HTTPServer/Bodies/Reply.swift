import Synchronization

/// Where a handler's task leaves its answer for the server's thread.
final class Reply: Sendable {
    struct ReplyBody: Sendable {
        var response: Response
        var output: OutputBuffer?
    }

    private enum State {
        case pending, awaited
        case given(ReplyBody)
        case taken
    }

    private let wake: @Sendable () -> Void
    private let state = Mutex(State.pending)

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    func give(_ answer: ReplyBody) {
        let isAwaited = state.withLock { state in
            defer { state = .given(answer) }
            if case .awaited = state { return true }
            return false
        }
        if isAwaited { wake() }
    }

    /// The answer, once; or nil, and `wake` is called when it is there.
    func take() -> ReplyBody? {
        state.withLock { state in
            guard case .given(let answer) = state else {
                state = .awaited
                return nil
            }
            state = .taken
            return answer
        }
    }
}
