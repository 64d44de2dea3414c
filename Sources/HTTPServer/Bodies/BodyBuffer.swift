import Synchronization

/// What has arrived of a body and was not consumed yet: filled by the server's thread, emptied by a handler.
final class BodyBuffer: Sendable {
    enum Offer {
        case taken

        /// Full: nothing was taken, and `wake` is called when there is room.
        case full

        /// The handler has answered and will not read on.
        case unwanted
    }

    private struct State {
        var bytes: [UInt8] = []
        var isFull = false
        var isUnwanted = false
        var end: (any Error)??
        var consumer: CheckedContinuation<[UInt8]?, any Error>?
    }

    private let limit: Int
    private let wake: @Sendable () -> Void
    private let state = Mutex(State())

    init(limit: Int, wake: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.wake = wake
    }

    func offer(_ chunk: UnsafeRawBufferPointer) -> Offer {
        let (offer, consumer) = state.withLock {
            state -> (Offer, CheckedContinuation<[UInt8]?, any Error>?) in
            if state.isUnwanted { return (.unwanted, nil) }
            if let consumer = state.consumer.take() { return (.taken, consumer) }
            if state.bytes.count >= limit {
                state.isFull = true
                return (.full, nil)
            }
            state.bytes.append(contentsOf: chunk)
            return (.taken, nil)
        }
        consumer?.resume(returning: [UInt8](chunk))
        return offer
    }

    func end(isCut: Bool) {
        let error: (any Error)? = isCut ? HTTPServerError.uploadCut : nil
        let consumer = state.withLock { state in
            if state.end == nil { state.end = .some(error) }
            return state.consumer.take()
        }
        guard let consumer else { return }
        if let error { consumer.resume(throwing: error) } else { consumer.resume(returning: nil) }
    }

    /// What comes from now on is dropped.
    func abandon() {
        let wasFull = state.withLock { state in
            state.isUnwanted = true
            state.bytes = []
            defer { state.isFull = false }
            return state.isFull
        }
        if wasFull { wake() }
    }

    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard let result = take(for: continuation) else { return }
                continuation.resume(with: result)
            }
        } onCancel: {
            state.withLock { $0.consumer.take() }?.resume(throwing: CancellationError())
        }
    }

    /// Nil when the continuation has been kept until something comes.
    private func take(
        for continuation: CheckedContinuation<[UInt8]?, any Error>
    ) -> Result<[UInt8]?, any Error>? {
        let (result, wasFull) = state.withLock { state -> (Result<[UInt8]?, any Error>?, Bool) in
            if !state.bytes.isEmpty {
                let bytes = state.bytes
                let wasFull = state.isFull
                (state.bytes, state.isFull) = ([], false)
                return (.success(bytes), wasFull)
            }
            if let end = state.end { return (end.map { .failure($0) } ?? .success(nil), false) }
            if Task.isCancelled { return (.failure(CancellationError()), false) }
            precondition(state.consumer == nil, "a body has one consumer")
            state.consumer = continuation
            return (nil, false)
        }
        if wasFull { wake() }
        return result
    }
}
