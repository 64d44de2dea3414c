import CMicroHTTPD
import Glibc
import System

/// How far a server has got with stopping; `until` is when the next phase begins.
enum StopPhase {
    case none
    case graceful(until: Int64)
    case cancelled(until: Int64)
    case over
}

/// Stopping: nothing new, what is in flight up to the grace, its tasks cancelled, and then the end.
extension ServerLoop {
    /// For what cancelled tasks still answer.
    private static let afterCancellation: Int64 = 1000

    var hasFinished: Bool {
        if case .over = stopPhase { true } else { false }
    }

    func beginStop() {
        isStopping = true
        let listening = MHD_quiesce_daemon(daemon)
        if listening >= 0 { _ = close(listening) }
        for connection in connections.values where !isServing(connection) { connection.cut() }
        setStop(
            .graceful(until: now + configuration.grace.milliseconds),
            until: now + configuration.grace.milliseconds)
    }

    private func isServing(_ connection: Connection) -> Bool {
        guard let exchange = connection.exchange else { return false }
        if case .opening = exchange.stage { return false }
        return true
    }

    private func setStop(_ phase: StopPhase, until: Int64) {
        stopPhase = phase
        nextDeadline = min(nextDeadline, until)
    }

    func advanceStop() {
        if inFlight == 0 { return stopPhase = .over }
        switch stopPhase {
        case .graceful(let until) where now >= until:
            for connection in connections.values { connection.exchange?.task?.cancel() }
            setStop(.cancelled(until: now + Self.afterCancellation), until: now + Self.afterCancellation)
        case .cancelled(let until) where now >= until: stopPhase = .over
        default: break
        }
    }

    /// MHD panics when it is stopped with a connection suspended.
    func finish() {
        for id in Array(suspended.keys) { wake(id) }
        MHD_stop_daemon(daemon)
        daemon = nil
        awaitTasks()
        mailbox.close()
        repeat { runTasks() } while mailbox.count > 0
        for stopped in stops { stopped() }
    }

    /// Cancelled tasks end soon, but by themselves: what they use must not go before them.
    private func awaitTasks() {
        let until = monotonicMilliseconds() + Self.afterCancellation
        while executor.runningTasks > 0, monotonicMilliseconds() < until {
            runTasks()
            usleep(1000)
        }
    }
}
