import Synchronization

/// What a producer has written and the socket has not taken yet: filled by a task, emptied by the server's thread.
final class OutputBuffer: Sendable {
    enum Reading {
        case bytes(Int)

        /// Nothing yet; `wake` is called when there is.
        case starved
        case end

        /// The producer failed or the client is gone: the answer must not look complete.
        case broken
    }

    private enum Phase {
        case open, finished, broken, closed
    }

    private struct State {
        var bytes: [UInt8] = []
        var start = 0
        var phase = Phase.open
        var isStarved = false
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        var tickets = 0

        var count: Int { bytes.count - start }
    }

    private let limit: Int
    private let wake: @Sendable () -> Void
    private let state = Mutex(State())

    init(limit: Int, wake: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.wake = wake
    }

    var unsent: [UInt8] {
        state.withLock { Array($0.bytes[$0.start...]) }
    }

    func write(_ bytes: [UInt8]) async throws {
        let (mustWait, wasStarved) = try state.withLock { state in
            guard state.phase == .open else { throw HTTPServerError.hungUp }
            if state.start > limit / 2 {
                state.bytes.removeSubrange(..<state.start)
                state.start = 0
            }
            state.bytes.append(contentsOf: bytes)
            let wasStarved = state.isStarved && !bytes.isEmpty
            if wasStarved { state.isStarved = false }
            return (state.count > limit, wasStarved)
        }
        if wasStarved { wake() }
        if mustWait { try await roomToWrite() }
    }

    private func roomToWrite() async throws {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Void, any Error>? in
                    if state.phase != .open { return .failure(HTTPServerError.hungUp) }
                    if state.count <= limit { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiting[ticket] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(throwing: CancellationError())
        }
    }

    /// The producer has ended, well or not.
    func finish(isBroken: Bool) {
        let wasStarved = state.withLock { state in
            guard state.phase == .open else { return false }
            state.phase = isBroken ? .broken : .finished
            defer { state.isStarved = false }
            return state.isStarved
        }
        if wasStarved { wake() }
    }

    /// The client is gone; false when the producer had already ended.
    @discardableResult
    func close() -> Bool {
        let (wasOpen, waiting) = state.withLock { state in
            let wasOpen = state.phase == .open
            if wasOpen || state.count > 0 { state.phase = .closed }
            defer { state.waiting = [:] }
            return (wasOpen, state.waiting)
        }
        for writer in waiting.values { writer.resume(throwing: HTTPServerError.hungUp) }
        return wasOpen
    }

    func read(into destination: UnsafeMutableRawBufferPointer) -> Reading {
        let (reading, waiting) = state.withLock { state in
            let reading = Self.read(&state, into: destination)
            // Half empty before writers go on, so that each wakes for more than a few bytes.
            guard state.count <= limit / 2, !state.waiting.isEmpty else {
                return (reading, [:] as [Int: CheckedContinuation<Void, any Error>])
            }
            defer { state.waiting = [:] }
            return (reading, state.waiting)
        }
        for writer in waiting.values { writer.resume() }
        return reading
    }

    private static func read(_ state: inout State, into destination: UnsafeMutableRawBufferPointer) -> Reading
    {
        if state.phase == .closed { return .broken }
        let count = min(destination.count, state.count)
        if count == 0 {
            switch state.phase {
            case .open:
                state.isStarved = true
                return .starved
            case .finished: return .end
            case .broken, .closed: return .broken
            }
        }
        state.bytes.withUnsafeBytes { bytes in
            destination.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[state.start..<state.start + count]))
        }
        state.start += count
        if state.start == state.bytes.count {
            state.bytes.removeAll(keepingCapacity: true)
            state.start = 0
        }
        return .bytes(count)
    }
}
