import CSQLite
import Synchronization

/// What a writer has done since it was opened.
package struct WriterStatistics: Sendable, Equatable {
    package var transactions = 0
    /// Operations that have their outcome, whatever it was.
    package var operations = 0
    /// Whether the disk refused the last transaction that wrote.
    package var isRefused = false
    /// Operations in the mailbox.
    package var waiting = 0
    package var longestTransactionSeconds = 0.0
    /// The longest wait for a lock that another process held.
    package var longestLockWaitSeconds = 0.0
    /// Pages in the write-ahead log after this writer's last commit.
    package var logPages = 0
    package var checkpoints = 0
    /// Checkpoints put off because another process was writing, or cut short by a reader.
    package var checkpointsIncomplete = 0
    /// The longest that a checkpoint kept all writers waiting.
    package var longestCheckpointSeconds = 0.0
}

/// The statistics, shared between the writer's thread and its readers.
final class WriterCounters: Sendable {
    private let statistics = Mutex(WriterStatistics())

    func read(waiting: Int) -> WriterStatistics {
        var copy = statistics.withLock { $0 }
        copy.waiting = waiting
        return copy
    }

    func count(operations: Int, wrote: Bool, since start: Int64, on connection: Connection) {
        let seconds = Double(csqlite_monotonic_ns() - start) / 1e9
        statistics.withLock {
            $0.transactions += 1
            $0.operations += operations
            if wrote { $0.isRefused = false }
            $0.longestTransactionSeconds = max($0.longestTransactionSeconds, seconds)
            $0.longestLockWaitSeconds = connection.longestLockWait
            $0.logPages = Int(connection.notes.pointee.wal_pages)
        }
    }

    func note(_ error: any Error) {
        guard let code = (error as? SQLiteError)?.primaryCode else { return }
        guard [SQLiteError.full, SQLiteError.ioError].contains(code) else { return }
        statistics.withLock { $0.isRefused = true }
    }

    func countCheckpoint(complete: Bool, since start: Int64) {
        let seconds = Double(csqlite_monotonic_ns() - start) / 1e9
        statistics.withLock {
            $0.longestCheckpointSeconds = max($0.longestCheckpointSeconds, seconds)
            if complete { $0.checkpoints += 1 } else { $0.checkpointsIncomplete += 1 }
        }
    }
}
