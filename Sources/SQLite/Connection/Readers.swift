import System

/// Connections that only read, each on a thread of its own.
///
/// Every read sees one unchanging view of the database. While it lasts the write-ahead log cannot start
/// afresh, so a long listing is to be read in pages.
package final class Readers: Sendable {
    /// How many reads may wait before more are refused with `overloaded`.
    package static let mailboxLimit = 16_384

    /// How long one read may take before it throws `interrupted`, so that none can hold the log for ever.
    package static let defaultTimeLimitSeconds = 30.0

    private struct Read: Sendable {
        let run: @Sendable (Connection) -> Void
    }

    private let mailbox: Mailbox<Read>
    private let threads: [Thread]
    private let timeLimitSeconds: Double

    /// Opens the connections; the database must exist.
    package init(path: String, count: Int = 3, timeLimitSeconds: Double = Readers.defaultTimeLimitSeconds)
        throws(SQLiteError)
    {
        self.timeLimitSeconds = timeLimitSeconds
        let mailbox = try system(Mailbox<Read>(.semaphore, limit: Self.mailboxLimit))
        self.mailbox = mailbox
        var threads: [Thread] = []
        for number in 1...count {
            let connection = try Connection(path: path, mode: .read)
            let thread = try startThread(named: "sqlite-reader\(number)") {
                while let reads = mailbox.take(atMost: 1) {
                    for read in reads { read.run(connection) }
                }
            }
            threads.append(thread)
        }
        self.threads = threads
    }

    deinit {
        mailbox.close()
    }

    /// Runs the closure on one of the connections; cancelling the task does not cut it short.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        let limit = timeLimitSeconds
        return try await withCheckedThrowingContinuation { continuation in
            let read = Read { connection in
                continuation.resume(
                    with: Result {
                        try connection.checkFiles()
                        return try connection.snapshot(limitSeconds: limit) { try body(connection) }
                    })
            }
            switch mailbox.post(read) {
            case nil: break
            case .closed:
                let error = SQLiteError(code: SQLiteError.closed, message: "the readers are closed")
                continuation.resume(throwing: error)
            case .overloaded:
                let message = "\(Self.mailboxLimit) reads wait already"
                continuation.resume(throwing: SQLiteError(code: SQLiteError.overloaded, message: message))
            }
        }
    }

    /// Finishes what waits, refuses more, and returns once the connections are closed.
    package func close() async {
        mailbox.close()
        for thread in threads { await thread.end() }
    }
}
