import CSQLite
import CrashPoint

/// Copies the write-ahead log back into the database while it is certain that nobody writes.
///
/// SQLite 3.7.0 to 3.51.2 can lose committed data when one connection checkpoints while another writes
/// (https://sqlite.org/wal.html, "the WAL-reset bug"), and no checkpoint mode keeps writers out: FULL, RESTART
/// and TRUNCATE run as PASSIVE when they cannot. So the writer's connection takes the write lock, a second
/// connection checkpoints, and the lock is given back with nothing written. All processes do it this way and
/// in no other; the next write then starts the log afresh.
struct Checkpoint {
    private let copier: Connection
    private let pagesBetween: Int64
    /// Where the log stood when it was last copied: a reader may keep it from starting afresh, and then it is
    /// not to be copied after each commit.
    private var pagesAtLast: Int64 = 0

    init(path: String, pagesBetween: Int) throws(SQLiteError) {
        copier = try Connection(path: path, mode: .read)
        self.pagesBetween = Int64(pagesBetween)
    }

    /// Writes anew what the log holds, before anything is built upon it.
    ///
    /// After a sync that failed, Linux reads back what it has not written and never will
    /// (https://lwn.net/Articles/752063/): whoever opens the log first takes it for committed, and a power cut would take
    /// it away with all that followed. Copied and synced, it is on disk.
    mutating func runAtStart(beside writer: Connection, _ counters: WriterCounters) {
        guard let copied = copy(beside: writer, waiting: true), copied.logPages > 0 else { return }
        pagesAtLast = copied.logPages
        counters.countCheckpoint(complete: copied.isComplete)
    }

    mutating func runIfDue(after writer: Connection, _ counters: WriterCounters) {
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
        guard let copied = copy(beside: writer, waiting: false) else {
            return counters.countCheckpoint(complete: false)
        }
        pagesAtLast = copied.logPages
        counters.countCheckpoint(complete: copied.isComplete)
    }

    /// Returns nil when another process is writing, which is waited for at will: a later commit tries again.
    private func copy(beside writer: Connection, waiting: Bool) -> (logPages: Int64, isComplete: Bool)? {
        let patience = writer.notes.pointee.wait_limit_ns
        if !waiting { writer.notes.pointee.wait_limit_ns = 0 }
        defer { writer.notes.pointee.wait_limit_ns = patience }
        guard (try? writer.run("BEGIN IMMEDIATE")) != nil else { return nil }
        defer { writer.rollback() }
        crashPoint("checkpoint-locked")
        var logPages: Int32 = 0
        var copiedPages: Int32 = 0
        let mode = SQLITE_CHECKPOINT_PASSIVE
        let status = sqlite3_wal_checkpoint_v2(copier.handle, nil, mode, &logPages, &copiedPages)
        guard status == SQLITE_OK else { return nil }
        crashPoint("checkpoint-copied")
        return (Int64(logPages), logPages == copiedPages)
    }
}
