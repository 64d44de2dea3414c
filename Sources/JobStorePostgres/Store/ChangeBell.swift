import Jobs
import Postgres
import Synchronization

/// Tells this process and all others that the database may have changed.
///
/// What is said to others goes out by itself, after the commit and some milliseconds later: a transaction that notifies holds a lock of
/// the whole server while it commits. It is a hint; who waits looks again by itself from time to time.
final class ChangeBell: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
        var isScheduled = false
        var isClosed = false
    }

    /// What others are told at most so often.
    private static let pause = Duration.milliseconds(3)
    private static let tell = Call(Statement("tell-change", "SELECT pg_notify('renga', '')::text"))

    private let session: Session
    private let state: Shared
    private let listener: Listener

    private final class Shared: Sendable {
        let state = Mutex(State())

        func ring() {
            let listeners = state.withLock { Array($0.listeners.values) }
            for listener in listeners { listener.yield() }
        }
    }

    init(
        _ database: ConnectionSettings, _ session: Session, random: any RandomNumberGenerator & Sendable
    ) throws {
        self.session = session
        let shared = Shared()
        state = shared
        listener = try Listener(database, channels: ["renga"], random: random) { event in
            if event != .connected, case .lost = event { return }
            shared.ring()
        }
    }

    /// Yields after a change; many may be one element.
    func stream() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let number = state.state.withLock { state -> Int? in
                guard !state.isClosed else { return nil }
                state.next += 1
                state.listeners[state.next] = continuation
                return state.next
            }
            guard let number else { return continuation.finish() }
            continuation.onTermination = { [state] _ in
                state.state.withLock { $0.listeners[number] = nil }
            }
        }
    }

    /// This process is told at once, the others soon.
    func ring() {
        state.ring()
        let schedules = state.state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled && !state.isClosed
        }
        guard schedules else { return }
        Task { [state, session] in
            try? await Task.sleep(for: Self.pause)
            state.state.withLock { $0.isScheduled = false }
            // It is said again with the next change.
            _ = try? await session.run([Self.tell])
        }
    }

    func close() async {
        let listeners = state.state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
        await listener.close()
    }
}
