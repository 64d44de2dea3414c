import Synchronization

/// What has come of a streamed answer and has not been read: bounded, so that a slow reader slows the server.
final class StreamBuffer: Sendable {
    private struct State {
        var head: ResponseHead?
        var headReader: CheckedContinuation<ResponseHead, any Error>?
        var bytes: [UInt8] = []
        var bodyReader: CheckedContinuation<[UInt8]?, any Error>?
        var isPaused = false
        var isEnded = false
        var error: HTTPClientError?
    }

    private let state = Mutex(State())

    /// Enough to keep a reader busy; libcurl may add one piece of its own (16 KiB) on top.
    static let capacity = 256 << 10

    // MARK: the event loop's side

    func begin(_ head: ResponseHead) {
        let reader = state.withLock { state in
            state.head = head
            return state.headReader.take()
        }
        reader?.resume(returning: head)
    }

    /// False when full: the piece was not taken and must come again after `resume`.
    func push(_ piece: UnsafeRawBufferPointer) -> Bool {
        enum Outcome {
            case taken, full
            case hand(CheckedContinuation<[UInt8]?, any Error>)
        }
        let outcome: Outcome = state.withLock { state in
            if let reader = state.bodyReader.take() { return .hand(reader) }
            guard state.bytes.count < Self.capacity else {
                state.isPaused = true
                return .full
            }
            state.bytes.append(contentsOf: piece)
            return .taken
        }
        switch outcome {
        case .taken: return true
        case .full: return false
        case .hand(let reader):
            reader.resume(returning: Array(piece))
            return true
        }
    }

    func end(_ error: HTTPClientError?) {
        let (headReader, bodyReader) = state.withLock { state in
            state.isEnded = true
            state.error = error
            return (state.headReader.take(), state.bodyReader.take())
        }
        if let headReader { headReader.resume(throwing: error ?? Self.noHead) }
        guard let bodyReader else { return }
        if let error { bodyReader.resume(throwing: error) } else { bodyReader.resume(returning: nil) }
    }

    // MARK: the reader's side

    func head() async throws -> ResponseHead {
        try await withCheckedThrowingContinuation { continuation in
            let known: Result<ResponseHead, any Error>? = state.withLock { state in
                if let head = state.head { return .success(head) }
                if state.isEnded { return .failure(state.error ?? Self.noHead) }
                state.headReader = continuation
                return nil
            }
            if let known { continuation.resume(with: known) }
        }
    }

    /// Everything that has come since the last read, nil at the end; what came before an error is read first.
    ///
    /// `resume` is called when that made room for a transfer that had been paused.
    func next(resume: () -> Void) async throws -> [UInt8]? {
        try await withCheckedThrowingContinuation { continuation in
            let (known, wasPaused) = state.withLock { state in
                let known = Self.take(from: &state)
                if known == nil {
                    precondition(state.bodyReader == nil, "two readers of one body")
                    state.bodyReader = continuation
                }
                let wasPaused = state.isPaused
                state.isPaused = false
                return (known, wasPaused)
            }
            if wasPaused { resume() }
            if let known { continuation.resume(with: known) }
        }
    }

    private static func take(from state: inout State) -> Result<[UInt8]?, any Error>? {
        if !state.bytes.isEmpty {
            defer { state.bytes = [] }
            return .success(state.bytes)
        }
        guard state.isEnded else { return nil }
        if let error = state.error { return .failure(error) }
        return .success(nil)
    }

    private static let noHead = HTTPClientError(
        code: .protocolError, message: "the transfer ended without a head", maySent: true)
}
