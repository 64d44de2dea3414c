import CSQLite

/// Copies the write-ahead log back into the database while it is certain that nobody writes.
///
/// SQLite 3.7.0 to 3.51.2 can lose committed data when one connection checkpoints while another writes
/// (https://sqlite.org/wal.html, "the WAL-reset bug"), and no checkpoint mode keeps writers out: FULL, RESTART
/// and TRUNCATE run as PASSIVE when they cannot. So the writer's connection takes the write lock, a second
/// connection checkpoints, and the lock is given back with nothing written. All processes do it this way and
/// in no other; the next write then starts the log afresh.
struct Checkpoint: ~Copyable {
    /// Log pages (4 KiB each) after which a checkpoint is due: 8 MiB, some milliseconds of copying.
    static let pagesBetween: Int64 = 2_000

    private let copier: Connection
    private let progress = Progress()

    /// Where the log stood when it was last copied: a reader may keep it from starting afresh, and then it is
    /// not to be copied after each commit.
    private final class Progress {
        var pagesAtLast: Int64 = 0
    }

    init(path: String) throws(SQLiteError) {
        copier = try Connection(path: path, mode: .read)
    }

    func runIfDue(after writer: Connection, _ counters: WriterCounters) {
        let pages = writer.notes.pointee.wal_pages
        if pages < progress.pagesAtLast { progress.pagesAtLast = 0 }
        guard pages - progress.pagesAtLast >= Self.pagesBetween else { return }
        run(beside: writer, counters)
    }

    /// Leaves a short log behind when that costs nothing.
    func runAtEnd(of writer: Connection, _ counters: WriterCounters) {
        if writer.notes.pointee.wal_pages > progress.pagesAtLast { run(beside: writer, counters) }
    }

    private func run(beside writer: Connection, _ counters: WriterCounters) {
        guard let copied = copy(beside: writer) else { return counters.countCheckpoint(complete: false) }
        progress.pagesAtLast = copied.logPages
        counters.countCheckpoint(complete: copied.isComplete)
    }

    /// Returns nil when another process is writing: a later commit tries again.
    func copy(beside writer: Connection) -> (logPages: Int64, isComplete: Bool)? {
        let patience = writer.notes.pointee.wait_limit_ns
        writer.notes.pointee.wait_limit_ns = 0
        defer { writer.notes.pointee.wait_limit_ns = patience }
        guard (try? writer.run("BEGIN IMMEDIATE")) != nil else { return nil }
        defer { writer.rollback() }
        var logPages: Int32 = 0
        var copiedPages: Int32 = 0
        let mode = SQLITE_CHECKPOINT_PASSIVE
        let status = sqlite3_wal_checkpoint_v2(copier.handle, nil, mode, &logPages, &copiedPages)
        guard status == SQLITE_OK else { return nil }
        return (Int64(logPages), logPages == copiedPages)
    }
}
