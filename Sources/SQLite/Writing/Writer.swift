/// The one thread of this process that writes to a database.
///
/// Operations wait in a mailbox. The thread takes up to 512 of them, runs them in one transaction, commits
/// with a sync to disk, and only then tells their callers: the sync, which costs more than everything else,
/// is shared by whoever came while the last one ran. An operation that throws is undone alone. When the
/// transaction as a whole fails, each of its operations is tried in a transaction of its own.
///
/// So an operation may run more than once before its one outcome: what it does outside the database must be
/// undone through the hooks, or wait for the outcome.
package final class Writer: Sendable {
    /// How many operations may wait before more are refused with `overloaded`.
    package static let mailboxLimit = 65_536
    /// How many operations one transaction takes at most.
    package static let groupLimit = 512

    private let mailbox: Mailbox<WriterOperation>
    private let ended = Latch(count: 1)
    private let counters = WriterCounters()

    /// Opens the database (creating it if it is absent) and starts the thread.
    ///
    /// A checkpoint is due after that many pages (of 4 KiB) in the write-ahead log: 8 MiB take some milliseconds.
    package init(
        path: String, hooks: WriterHooks = WriterHooks(), pagesBetweenCheckpoints: Int = 2_000,
        longLog: LongLog = LongLog()
    ) throws(SQLiteError) {
        let mailbox = try Mailbox<WriterOperation>(limit: Self.mailboxLimit)
        self.mailbox = mailbox
        let connection = try Connection(path: path, mode: .write)
        let checkpoint = try Checkpoint(
            path: path, pagesBetween: pagesBetweenCheckpoints, longLog, readerStays: hooks.readerStays)
        try startThread(named: "sqlite-writer") { [ended, counters] in
            var checkpoint = checkpoint
            var queue = WriterQueue(of: connection)
            queue.inTurn(of: connection) { checkpoint.runAtStart(beside: connection, counters) }
            let group = WriterGroup(connection: connection, hooks: hooks, counters: counters)
            while var operations = mailbox.take(atMost: Self.groupLimit) {
                queue.inTurn(of: connection) {
                    // Whoever came while it waited shares the sync.
                    if mailbox.count > 0, operations.count < Self.groupLimit,
                        let late = mailbox.take(atMost: Self.groupLimit - operations.count)
                    {
                        operations += late
                    }
                    group.run(operations)
                    checkpoint.runIfDue(after: connection, counters)
                }
            }
            queue.inTurn(of: connection) { checkpoint.runAtEnd(of: connection, counters) }
            queue.close()
            ended.countDown()
        }
    }

    deinit {
        mailbox.close()
    }

    /// Waits in the mailbox, runs, and returns once the result is on disk.
    ///
    /// Throws what the operation threw, or why its transaction failed. Cancelling the task changes nothing:
    /// what was handed over is done.
    @discardableResult
    package func write<T: Sendable>(_ operation: @escaping @Sendable (Connection) throws -> T) async throws
        -> T
    {
        try await withCheckedThrowingContinuation { continuation in
            submit(operation) { continuation.resume(with: $0) }
        }
    }

    /// Like `write`, with a closure called once on the writer's thread: it must be quick.
    package func submit<T: Sendable>(
        _ operation: @escaping @Sendable (Connection) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        let entry = WriterOperation(
            run: { connection in
                let value = try operation(connection)
                return { completion(.success(value)) }
            },
            refuse: { error in completion(.failure(error)) })
        switch mailbox.put(entry) {
        case nil: break
        case .closed:
            completion(.failure(SQLiteError(code: SQLiteError.closed, message: "the writer is closed")))
        case .overloaded:
            let message = "\(Self.mailboxLimit) operations wait already"
            completion(.failure(SQLiteError(code: SQLiteError.overloaded, message: message)))
        }
    }

    /// What the writer has done so far, and how it stands.
    package var statistics: WriterStatistics { counters.read(waiting: mailbox.count) }

    /// Finishes what waits in the mailbox, refuses more, and returns once the connection is closed.
    package func close() async {
        mailbox.close()
        await ended.wait()
    }
}
