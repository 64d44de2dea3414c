import System

/// When what an operation did is to outlive a power cut.
package enum Syncing<Value>: Sendable {
    /// Before its caller hears of it.
    case always

    /// Before its caller hears of such an outcome; of any other with the next sync, which comes within moments.
    case when(@Sendable (Value) -> Bool)

    fileprivate var mayWait: Bool {
        if case .when = self { true } else { false }
    }

    fileprivate func isNeeded(by value: Value) -> Bool {
        if case .when(let isNeeded) = self { isNeeded(value) } else { true }
    }
}

/// The one thread of this process that writes to a database.
///
/// Operations wait in a mailbox. The thread takes up to 512 of them, runs them in one transaction, commits
/// with a sync to disk, and only then answers their callers: the sync, which costs more than everything else,
/// is shared by the operations that came while the last one ran. An operation that throws is undone alone. When the
/// transaction as a whole fails, each of its operations is tried in a transaction of its own. Where all may wait for their sync
/// (`Syncing`), it comes with a later transaction's, or by itself within moments.
///
/// So an operation may run more than once before its one outcome: what it does outside the database must be
/// undone through the hooks, or wait for the outcome.
package final class Writer: Sendable {
    /// How many operations may wait before more are refused with `overloaded`.
    package static let mailboxLimit = 65_536
    /// How many operations one transaction takes at most.
    package static let groupLimit = 512

    private let mailbox: Mailbox<WriterOperation>
    private let thread: Thread
    private let counters = WriterCounters()

    /// Opens the database (creating it if it is absent) and starts the thread.
    ///
    /// A checkpoint is due after that many pages (of 4 KiB) in the write-ahead log: 8 MiB take some milliseconds.
    package init(
        path: String, hooks: WriterHooks = WriterHooks(), pagesBetweenCheckpoints: Int = 2_000,
        longLog: LongLog = LongLog()
    ) throws(SQLiteError) {
        let mailbox = try system(Mailbox<WriterOperation>(.semaphore, limit: Self.mailboxLimit))
        self.mailbox = mailbox
        let connection = try Connection(path: path, mode: .write)
        let log = LogSync(of: connection)
        let checkpoint = try Checkpoint(
            path: path, pagesBetween: pagesBetweenCheckpoints, longLog, log, readerStays: hooks.readerStays)
        thread = try startThread(named: "sqlite-writer") { [counters] in
            var loop = WriterLoop(mailbox, connection, log, checkpoint, hooks, counters)
            loop.run()
        }
    }

    deinit {
        mailbox.close()
    }

    /// Waits in the mailbox, runs, and returns once the result is on disk, as far as `syncing` asks for it.
    ///
    /// Throws what the operation threw, or why its transaction failed. Cancelling the task changes nothing:
    /// what was handed over is done.
    @discardableResult
    package func write<T: Sendable>(
        syncing: Syncing<T> = .always, _ operation: @escaping @Sendable (Connection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            submit(syncing: syncing, operation) { continuation.resume(with: $0) }
        }
    }

    /// Like `write`, with a closure called once on the writer's thread: it must be quick.
    package func submit<T: Sendable>(
        syncing: Syncing<T> = .always,
        _ operation: @escaping @Sendable (Connection) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        let entry = WriterOperation(
            run: { connection in
                let value = try operation(connection)
                return WriterOutcome(needsSync: syncing.isNeeded(by: value)) { completion(.success(value)) }
            },
            refuse: { error in completion(.failure(error)) }, mayWait: syncing.mayWait)
        switch mailbox.post(entry) {
        case nil: break
        case .closed:
            completion(.failure(SQLiteError(code: SQLiteError.closed, message: "the writer is closed")))
        case .overloaded:
            let message = "\(Self.mailboxLimit) operations wait already"
            completion(.failure(SQLiteError(code: SQLiteError.overloaded, message: message)))
        }
    }

    /// What the writer has done so far, and its state.
    package var statistics: WriterStatistics { counters.read(waiting: mailbox.count) }

    /// Finishes what waits in the mailbox, refuses more, and returns once the connection is closed.
    package func close() async {
        mailbox.close()
        await thread.end()
    }
}
