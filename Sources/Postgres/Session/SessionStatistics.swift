import Synchronization

/// What a session has done since it began.
package struct SessionStatistics: Sendable, Equatable {
    /// Connections made; more than one means that some were lost.
    package var connections = 0
    package var roundTrips = 0
    /// Requests that have their answer, whatever it was.
    package var requests = 0
    /// Requests that have none yet.
    package var waiting = 0
    package var isConnected = false
    /// Why the last attempt to connect failed; nil once one succeeded.
    package var connectFailure: PostgresError?
}

/// The statistics, shared between the session's thread and those who read them.
final class SessionCounters: Sendable {
    private let statistics = Mutex(SessionStatistics())

    func read() -> SessionStatistics { statistics.withLock { $0 } }

    func change(_ body: (inout SessionStatistics) -> Void) { statistics.withLock { body(&$0) } }
}
