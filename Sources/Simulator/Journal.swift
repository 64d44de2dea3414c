import Synchronization

/// What came and what became of it: counts that are always exact, and the last requests in detail.
///
/// One lock, held for about a microsecond at each end of a call.
final class Journal: Sendable {
    /// A call's place in the journal.
    struct Ticket: Sendable {
        let sequence: Int
        /// Counted from 1 among the calls for messages.
        let number: Int
        /// Counted from 1 among the calls with this body.
        let repetition: Int
        /// Which reset it belongs to: what began before one ends unrecorded.
        let epoch: Int
        let digest: Digest
        let subject: Subject
    }

    /// What an entry is about.
    enum Subject: Sendable {
        /// A call for a message.
        case message
        /// A row of a batch.
        case row
        case other
    }

    private let state: Mutex<State>

    init(limit: Int) {
        state = Mutex(State(limit: limit))
    }

    func begin(_ endpoint: String, digest: Digest, caller: String?, at now: Int64) -> Ticket {
        let (ticket, waiting) = state.withLock { state in
            let ticket = state.begin(endpoint, digest: digest, caller: caller, at: now)
            return (ticket, state.satisfied())
        }
        for continuation in waiting { continuation.resume() }
        return ticket
    }

    /// Opens the entry of a row that has come to its end; it was run if the model ever saw it.
    func begin(_ row: BatchRowName, digest: Digest, wasRun: Bool, at arrived: Int64) -> Ticket {
        state.withLock { $0.begin(row, digest: digest, wasRun: wasRun, at: arrived) }
    }

    /// Counts a batch that was made.
    func enter(batchOf rows: Int) {
        state.withLock { state in
            state.stats.batches.created += 1
            state.stats.batches.rows += rows
        }
    }

    func annotate(_ ticket: Ticket, caller: String?, isStream: Bool) {
        state.withLock { state in
            state.change(ticket) { entry in
                entry.caller = caller ?? entry.caller
                entry.isStream = isStream
            }
        }
    }

    /// Records how a call ended; what is said later about the same call replaces only its entry's fault.
    func end(_ ticket: Ticket, _ end: CallEnd, at now: Int64) {
        state.withLock { $0.end(ticket, end, at: now) }
    }

    /// Marks a call whose caller went away before the end.
    func abandon(_ ticket: Ticket) {
        state.withLock { state in
            state.change(ticket) { $0.fault = $0.fault ?? "abandoned" }
            if ticket.epoch == state.epoch { state.stats.byFault["abandoned", default: 0] += 1 }
        }
    }

    /// The call holds no connection any more.
    func leave(_ ticket: Ticket) {
        state.withLock { state in
            if case .message = ticket.subject, ticket.epoch == state.epoch { state.stats.inFlight -= 1 }
        }
    }

    func reset(limit: Int) {
        state.withLock { $0.reset(limit: limit) }
    }

    var stats: SimulatorStats { state.withLock { $0.summary() } }

    func entries(after sequence: Int, limit: Int) -> [JournalEntry] {
        state.withLock { $0.entries(after: sequence, limit: limit) }
    }

    func prompt(_ digest: Digest) -> SimulatorStats.Prompt {
        state.withLock { $0.prompts[digest] ?? SimulatorStats.Prompt() }
    }

    var prompts: [Digest: SimulatorStats.Prompt] { state.withLock { $0.prompts } }

    /// Returns once so many calls for messages have arrived, or when cancelled.
    func arrivals(reach count: Int) async {
        let id = state.withLock { $0.nextWaiter() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    !state.wait(id, for: count, continuation)
                }
                if isOver || Task.isCancelled { cancelWait(id, continuation, isOver) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    private func cancelWait(_ id: Int, _ continuation: CheckedContinuation<Void, Never>, _ isOver: Bool) {
        if isOver { return continuation.resume() }
        state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
    }
}
