import System

/// Hears what is said on channels, on a connection and a thread of its own.
///
/// PostgreSQL keeps no notification for a listener that is not connected: after each connection it rings once, and truth is what the tables say. Behind a pooler
/// that hands connections round nothing is heard at all, without an error: it needs a direct way to the server.
package final class Listener: Sendable {
    /// What a listener tells on its thread, to a closure that must be quick.
    package enum Event: Sendable, Equatable {
        /// It hears from now on; look once for what was said before.
        case connected
        case heard(Notification)
        /// It hears nothing until it says `connected` again.
        case lost(PostgresError)
    }

    /// Nothing is posted: it is closed, and rings.
    private let ending: Mailbox<Never>
    private let thread: Thread

    /// Starts the thread; channels are names of the program's own.
    package init(
        _ settings: ConnectionSettings, channels: [StaticString],
        random: any RandomNumberGenerator & Sendable,
        clock: @escaping @Sendable () -> Int64 = monotonicMilliseconds,
        _ tell: @escaping @Sendable (Event) -> Void
    ) throws(PostgresError) {
        _ = try Library.functions()
        let ending = try system(Mailbox<Never>(.polled))
        self.ending = ending
        let reconnection = Reconnection(settings, random: random, clock: clock)
        let calls = channels.map { Call(Statement("listen", assembled: "LISTEN \"\($0)\"")) }
        thread = try system(
            Thread(named: "postgres-listen") {
                var loop = ListenerLoop(reconnection: reconnection, ending: ending, calls: calls, tell: tell)
                loop.run()
            })
    }

    deinit {
        ending.close()
    }

    /// Ends the thread, and returns once its connection is closed.
    package func close() async {
        ending.close()
        await thread.end()
    }
}

/// What the listener's thread does from its start to its end.
private struct ListenerLoop {
    var reconnection: Reconnection
    let ending: Mailbox<Never>
    let calls: [Call]
    let tell: @Sendable (Listener.Event) -> Void

    private var isOver: Bool { ending.takeAll() == nil }

    mutating func run() {
        while !isOver {
            guard let connection = reconnection.connect() else {
                let left = reconnection.nextAttempt - reconnection.now
                _ = ending.event.rings(within: Int32(clamping: max(1, left)))
                continue
            }
            do throws(PostgresError) {
                try connection.run(calls)
                tell(.connected)
                while connection.isUsable, !isOver {
                    for notification in connection.takeNotifications() { tell(.heard(notification)) }
                    connection.rest(bell: ending.event)
                }
                if !isOver { tell(.lost(PostgresError(.unavailable, "the connection was lost"))) }
            } catch {
                tell(.lost(error))
            }
        }
    }
}
