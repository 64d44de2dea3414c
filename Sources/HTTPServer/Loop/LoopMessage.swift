import System

/// What other threads leave for the server's, which picks it up at its next turn.
enum LoopMessage: Sendable {
    /// An exchange is to be looked at again.
    case wake(UInt64)
    /// A task goes on, on the server's thread.
    case job(UnownedJob)
    /// Called once the server has stopped; any makes it stop.
    case stop(@Sendable () -> Void)
}

extension Mailbox<LoopMessage> {
    func wake(_ exchange: UInt64) {
        post(.wake(exchange))
    }

    /// Calls the closure once the server has stopped; at once if it has.
    func stop(_ stopped: @escaping @Sendable () -> Void) {
        if post(.stop(stopped)) != nil { stopped() }
    }
}
