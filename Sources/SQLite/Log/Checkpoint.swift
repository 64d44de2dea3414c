import CSQLite
import CrashPoint

/// Copies the write-ahead log back into the database while it is certain that no process writes.
///
/// SQLite 3.7.0 to 3.51.2 can lose committed data when one connection checkpoints while another writes
/// (https://sqlite.org/wal.html, "the WAL-reset bug"), and no checkpoint mode keeps writers out: FULL, RESTART
/// and TRUNCATE run as PASSIVE when they cannot. So the writer's connection takes the write lock, a second
/// connection checkpoints, and the lock is given back with nothing written. All processes do it this way and
/// in no other; the next write then starts the log afresh.
struct Checkpoint {
    private let copier: Connection
    private let pagesBetween: Int64
    private let longLog: LongLog
    private let log: LogSync
    private var watch: ReaderWatch
    /// Where the log stood when it was last copied: a reader may keep it from starting afresh, and then it is
    /// not to be copied after each commit.
    private var pagesAtLast: Int64 = 0

    init(
        path: String, pagesBetween: Int, _ longLog: LongLog, _ log: LogSync,
        readerStays: (@Sendable (LongReader) -> Void)? = nil
    ) throws(SQLiteError) {
        watch = ReaderWatch(path: path, patienceSeconds: longLog.patienceSeconds, report: readerStays)
        copier = try Connection(path: path, mode: .read)
        self.pagesBetween = Int64(pagesBetween)
        self.longLog = longLog
        self.log = log
    }

    /// Writes again what the log holds, before anything is built upon it.
    ///
    /// After a sync that failed, Linux reads back what it has not written and never will
    /// (https://lwn.net/Articles/752063/): the first process that opens the log takes it for committed, and a power
    /// cut would take it away with all that followed. Copied and synced, it is on disk.
    mutating func runAtStart(beside writer: Connection, _ counters: WriterCounters) {
        writer.notes.pointee.long_log_pages = Int64(longLog.pages)
        let start = csqlite_monotonic_ns()
        guard let copied = copy(beside: writer, waiting: true), copied.logPages > 0 else { return }
        pagesAtLast = copied.logPages
        counters.countCheckpoint(complete: copied.isComplete, since: start)
    }

    /// The same after a sync that failed; returns why nothing may be committed yet, as long as a reader or the disk is in the
    /// way.
    mutating func runAfterFailedSync(beside writer: Connection, _ counters: WriterCounters) -> SQLiteError? {
        guard log.mustCopy else { return nil }
        run(beside: writer, counters)
        guard log.mustCopy else { return nil }
        return SQLiteError(
            code: SQLiteError.syncFailed,
            message: "a sync failed, and what the log holds could not be written anew since")
    }

    mutating func runIfDue(after writer: Connection, _ counters: WriterCounters) {
        if writer.notes.pointee.log_became_long != 0 {
            writer.notes.pointee.log_became_long = 0
            return startAfresh(beside: writer, counters)
        }
        let pages = writer.notes.pointee.wal_pages
        if pages < pagesAtLast { pagesAtLast = 0 }
        guard pages - pagesAtLast >= pagesBetween else { return }
        run(beside: writer, counters)
    }

    /// Leaves a short log behind when that costs nothing.
    mutating func runAtEnd(of writer: Connection, _ counters: WriterCounters) {
        if writer.notes.pointee.wal_pages > pagesAtLast { run(beside: writer, counters) }
    }

    private mutating func run(beside writer: Connection, _ counters: WriterCounters) {
        let start = csqlite_monotonic_ns()
        guard let copied = copy(beside: writer, waiting: false) else {
            return counters.countCheckpoint(complete: false, since: start)
        }
        pagesAtLast = copied.logPages
        watch.saw(copied)
        counters.countCheckpoint(complete: copied.isComplete, since: start)
    }

    /// Returns nil when another process is writing, which is waited for at will: a later commit tries again.
    private func copy(beside writer: Connection, waiting: Bool) -> Copied? {
        let patience = writer.notes.pointee.wait_limit_ns
        if !waiting { writer.notes.pointee.wait_limit_ns = 0 }
        defer { writer.notes.pointee.wait_limit_ns = patience }
        guard (try? writer.run("BEGIN IMMEDIATE")) != nil else { return nil }
        defer { writer.rollback() }
        return copy()
    }

    /// How far the log was copied.
    struct Copied {
        let logPages: Int64
        let copiedPages: Int64
        var isComplete: Bool { logPages == copiedPages }
    }

    /// Only to be called while the writer's connection holds the write lock.
    private func copy() -> Copied? {
        crashPoint("checkpoint-locked")
        var logPages: Int32 = 0
        var copiedPages: Int32 = 0
        let mode = SQLITE_CHECKPOINT_PASSIVE
        let status = sqlite3_wal_checkpoint_v2(copier.handle, nil, mode, &logPages, &copiedPages)
        guard status == SQLITE_OK else {
            log.note(SQLiteError(code: status, message: "the log cannot be copied"))
            return nil
        }
        crashPoint("checkpoint-copied")
        let copied = Copied(logPages: Int64(logPages), copiedPages: Int64(copiedPages))
        if copied.isComplete { log.copied() }
        return copied
    }
}

/// When a log is so long that writers shall wait for readers.
///
/// A reader keeps what was written after it began from being copied, and one that began before all was copied keeps the log
/// from starting afresh. If such readers follow one another without a gap, the log would grow for ever
/// (https://sqlite.org/wal.html, "checkpoint starvation").
package struct LongLog: Sendable {
    /// From 40 MB on, and whenever it is half as long again: behind a reader that does not end, writers do not wait often.
    package var pages: Int
    /// Much shorter than writers wait for a lock and than a lease lasts.
    package var patienceSeconds: Double

    package init(pages: Int = 10_240, patienceSeconds: Double = 5) {
        self.pages = pages
        self.patienceSeconds = patienceSeconds
    }
}

extension Checkpoint {
    private static let pauseNanoseconds = 500_000

    /// Keeps writers waiting until all readers have gone that are in the way, or the patience is over.
    ///
    /// First the readers of an older view leave, then all is copied, then those leave that began before it was. A
    /// reader that begins afterwards reads the database alone. The process whose commit made the log long does it.
    private mutating func startAfresh(beside writer: Connection, _ counters: WriterCounters) {
        guard (try? writer.run("BEGIN IMMEDIATE")) != nil else {
            return counters.countCheckpoint(complete: false, since: csqlite_monotonic_ns())
        }
        defer { writer.rollback() }
        let start = csqlite_monotonic_ns()
        let end = start + Int64(longLog.patienceSeconds * 1e9)
        var isUnread = false
        var copiedBefore: Int64?
        while let copied = copyAll(until: end) {
            pagesAtLast = copied
            if copied == copiedBefore {
                isUnread = waitForReaders(until: end)
                break
            }
            copiedBefore = copied
            // The writer's own connection has begun before all was copied, too.
            writer.rollback()
            guard (try? writer.run("BEGIN IMMEDIATE")) != nil else { break }
        }
        counters.countCheckpoint(complete: isUnread, since: start)
    }

    /// Returns the pages of the log; nil if the time is over, or the disk refuses.
    private mutating func copyAll(until end: Int64) -> Int64? {
        while let copied = copy() {
            watch.saw(copied)
            if copied.isComplete { return copied.logPages }
            guard csqlite_monotonic_ns() < end else { return nil }
            csqlite_sleep(Self.pauseNanoseconds)
        }
        return nil
    }

    private func waitForReaders(until end: Int64) -> Bool {
        while csqlite_log_is_unread(copier.handle) == 0 {
            guard csqlite_monotonic_ns() < end else { return false }
            csqlite_sleep(Self.pauseNanoseconds)
        }
        return true
    }
}
