import Synchronization

/// A bounded queue that any task may post to, and that threads of our own sleep on: in `take`, or in a poll that watches
/// `event`.
///
/// The eventfd is rung only for a thread that has found the mailbox empty, so a busy one costs no system calls.
package final class Mailbox<Message: Sendable>: Sendable {
    package enum Refusal: Sendable {
        case closed
        case overloaded
    }

    private struct State {
        var waiting: [Message] = []
        /// Messages before this index are taken: cheaper than moving the rest each time.
        var taken = 0
        var sleepers: Int
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

    /// Readable once there is something for a thread that has found nothing.
    package let event: EventFD

    private let state: Mutex<State>
    private let limit: Int

    /// `semaphore` for threads that sleep in `take`, `polled` for one that sleeps in a poll; refuses more than so many messages.
    package init(_ kind: EventFD.Kind, limit: Int = .max) throws(SystemError) {
        event = try EventFD(kind)
        // One that polls may sleep before it has asked.
        state = Mutex(State(sleepers: kind == .polled ? 1 : 0))
        self.limit = limit
    }

    package var count: Int { state.withLock { $0.waiting.count - $0.taken } }

    /// Returns why the message was not taken, or nil: then it will be handed out.
    @discardableResult
    package func post(_ message: Message) -> Refusal? {
        let (refusal, rings) = state.withLock { state -> (Refusal?, Int) in
            if state.isClosed { return (.closed, 0) }
            if state.waiting.count - state.taken >= limit { return (.overloaded, 0) }
            state.waiting.append(message)
            return (nil, state.takeSleepers(atMost: 1))
        }
        event.ring(times: rings)
        return refusal
    }

    /// What is in the mailbox is still handed out; nothing more is taken in.
    package func close() {
        let rings = state.withLock { state -> Int in
            state.isClosed = true
            return state.takeSleepers(atMost: state.sleepers)
        }
        event.ring(times: rings)
    }
}

extension Mailbox {
    /// Blocks the thread until there are messages, or until so many milliseconds are over and there are none; nil once the
    /// mailbox is closed and empty.
    package func take(atMost limit: Int, within milliseconds: Int32? = nil) -> [Message]? {
        while true {
            let (messages, ended) = state.withLock { state -> ([Message], Bool) in
                let messages = state.takeMessages(atMost: limit)
                if messages.isEmpty, !state.isClosed { state.sleepers += 1 }
                return (messages, state.isClosed)
            }
            if !messages.isEmpty { return messages }
            if ended { return nil }
            if let milliseconds, !event.rings(within: milliseconds), wakesByItself() { return [] }
            event.wait()
        }
    }

    /// False if it was rung for this sleeper meanwhile.
    private func wakesByItself() -> Bool {
        state.withLock { $0.takeSleepers(atMost: 1) == 1 }
    }
}

/// For the one thread that polls.
extension Mailbox {
    /// What has come; nil once the mailbox is closed and empty.
    ///
    /// After nothing the next post rings, and the thread may sleep.
    package func takeAll() -> [Message]? {
        state.withLock { state in
            let messages = state.takeMessages(atMost: .max)
            guard messages.isEmpty else { return messages }
            state.sleepers = 1
            return state.isClosed ? nil : []
        }
    }

    /// No post rings until `takeAll` has found nothing, or `yield` is called.
    package func stayAwake() {
        state.withLock { $0.sleepers = 0 }
    }

    /// Goes to sleep with messages left, which ring at once.
    package func yield() {
        let rings = state.withLock { state -> Int in
            state.sleepers = state.waiting.isEmpty ? 1 : 0
            return 1 - state.sleepers
        }
        event.ring(times: rings)
    }
}
