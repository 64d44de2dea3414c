import Synchronization

/// A bounded queue that any task may put into and that threads of our own sleep on.
///
/// The bell is rung only for a thread that has said it is going to sleep, so a busy mailbox costs
/// no system calls.
final class Mailbox<Message: Sendable>: Sendable {
    enum Refusal {
        case closed
        case overloaded
    }

    private struct State {
        var waiting: [Message] = []
        /// Messages before this index are taken: cheaper than moving the rest each time.
        var taken = 0
        var sleepers = 0
        var isClosed = false

        mutating func takeSleepers(atMost limit: Int) -> Int {
            let woken = min(limit, sleepers)
            sleepers -= woken
            return woken
        }

        mutating func takeMessages(atMost limit: Int) -> [Message] {
            let available = waiting.count - taken
            if taken == 0, available <= limit {
                let all = waiting
                waiting = []
                return all
            }
            let messages = Array(waiting[taken..<(taken + min(limit, available))])
            taken += messages.count
            if taken == waiting.count {
                waiting = []
                taken = 0
            } else if taken > waiting.count / 2 {
                waiting.removeFirst(taken)
                taken = 0
            }
            return messages
        }
    }

    private let state = Mutex(State())
    private let bell: EventFD
    private let limit: Int

    init(limit: Int) throws(SQLiteError) {
        bell = try EventFD()
        self.limit = limit
    }

    var count: Int { state.withLock { $0.waiting.count - $0.taken } }

    /// Returns why the message was not taken, or nil.
    func put(_ message: Message) -> Refusal? {
        let (refusal, rings) = state.withLock { state -> (Refusal?, Int) in
            if state.isClosed { return (.closed, 0) }
            if state.waiting.count - state.taken >= limit { return (.overloaded, 0) }
            state.waiting.append(message)
            return (nil, state.takeSleepers(atMost: 1))
        }
        bell.ring(times: rings)
        return refusal
    }

    /// What is in the mailbox is still handed out; nothing more is taken in.
    func close() {
        let rings = state.withLock { state -> Int in
            state.isClosed = true
            return state.takeSleepers(atMost: state.sleepers)
        }
        bell.ring(times: rings)
    }

    /// Blocks the thread until there are messages, or until so many milliseconds are over and there are none; nil once the
    /// mailbox is closed and empty.
    func take(atMost limit: Int, within milliseconds: Int32? = nil) -> [Message]? {
        while true {
            let (messages, ended) = state.withLock { state -> ([Message], Bool) in
                let messages = state.takeMessages(atMost: limit)
                if messages.isEmpty, !state.isClosed { state.sleepers += 1 }
                return (messages, state.isClosed)
            }
            if !messages.isEmpty { return messages }
            if ended { return nil }
            if let milliseconds, !bell.rings(within: milliseconds), wakesByItself() { return [] }
            bell.wait()
        }
    }

    /// False if the bell was rung for this sleeper meanwhile.
    private func wakesByItself() -> Bool {
        state.withLock { $0.takeSleepers(atMost: 1) == 1 }
    }
}
