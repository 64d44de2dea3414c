import System

/// What the writer's thread does from its start to its end.
struct WriterLoop {
    private let mailbox: Mailbox<WriterOperation>
    private let connection: Connection
    private let counters: WriterCounters
    private let group: WriterGroup
    private let log: LogSync
    private var checkpoint: Checkpoint
    private var queue: WriterQueue

    /// To be called by the thread that will run it.
    init(
        _ mailbox: Mailbox<WriterOperation>, _ connection: Connection, _ log: LogSync,
        _ checkpoint: Checkpoint, _ hooks: WriterHooks, _ counters: WriterCounters
    ) {
        self.mailbox = mailbox
        self.connection = connection
        self.checkpoint = checkpoint
        self.counters = counters
        self.log = log
        group = WriterGroup(connection: connection, log: log, hooks: hooks, counters: counters)
        queue = WriterQueue(of: connection)
    }

    /// Returns once the mailbox is closed and empty.
    mutating func run() {
        queue.inTurn(of: connection) { checkpoint.runAtStart(beside: connection, counters) }
        while let operations = take() {
            if operations.isEmpty { catchUp() } else { perform(operations) }
        }
        catchUp()
        queue.inTurn(of: connection) { checkpoint.runAtEnd(of: connection, counters) }
        queue.close()
    }

    private func take() -> [WriterOperation]? {
        mailbox.take(atMost: Writer.groupLimit, within: log.millisecondsLeft)
    }

    /// What was committed and waits gets its sync; what a failed one may have lost is written again.
    private mutating func catchUp() {
        guard !log.mustCopy else {
            return queue.inTurn(of: connection) {
                if checkpoint.runAfterFailedSync(beside: connection, counters) != nil { log.putOff() }
            }
        }
        do { try log.sync() } catch { counters.note(error) }
    }

    private mutating func perform(_ first: [WriterOperation]) {
        var operations = first
        queue.inTurn(of: connection) {
            // What came while it waited shares the sync.
            if mailbox.count > 0, operations.count < Writer.groupLimit,
                let late = mailbox.take(atMost: Writer.groupLimit - operations.count)
            {
                operations += late
            }
            if let refusal = checkpoint.runAfterFailedSync(beside: connection, counters) {
                return operations.forEach { $0.refuse(refusal) }
            }
            group.run(operations)
            checkpoint.runIfDue(after: connection, counters)
        }
    }
}
