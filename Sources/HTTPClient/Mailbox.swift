import CCurl
import Glibc
import Synchronization

/// What callers tell the event loop's thread: a list under a lock, and an eventfd that wakes the loop.
final class Mailbox: Sendable {
    enum Command: Sendable {
        case start(Exchange, Delivery)
        case cancel(Exchange)
        case resume(Exchange)
        /// Its reader has all it wants: the rest is read only for the connection's sake.
        case conclude(Exchange)
        case shutdown
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Readable while there may be commands.
    ///
    /// It lives as long as the mailbox, so no late post hits another's file.
    let wakeUp: Int32

    init() {
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(wakeUp >= 0, "eventfd failed with errno \(errno)")
    }

    deinit {
        close(wakeUp)
    }

    /// False when the loop has ended and will do nothing about it.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (isTaken, isFirst) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.commands.append(command)
            return (true, state.commands.count == 1)
        }
        // A caller that finds the list filled comes after one that wakes the loop for both.
        if isFirst { eventfd_write(wakeUp, 1) }
        return isTaken
    }

    func takeAll() -> [Command] {
        state.withLock { state in
            defer { state.commands.removeAll(keepingCapacity: true) }
            return state.commands
        }
    }

    /// Refuses every later post, and returns what was not taken yet.
    func closeDown() -> [Command] {
        state.withLock { state in
            state.isClosed = true
            defer { state.commands = [] }
            return state.commands
        }
    }
}
