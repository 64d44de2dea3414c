import CSQLite
import Glibc

/// A database file in use by this process: opened only with the log that is its own, left without one by the last who leaves.
///
/// Comes before a process's connections, and goes after them.
package final class DatabaseFile: Sendable {
    /// Who may read and write files that are made here; the umask takes its part away.
    package static let standardMode: UInt32 = 0o600

    /// Whether no other process had the database open: the log is new then.
    package let isFirst: Bool
    private let files: DatabaseFiles
    /// Nil if the file of locks cannot be had: then the processes do not know of each other.
    private let companion: Companion?
    /// Which file it was when it was opened.
    private let identity: DatabaseFiles.Identity?

    /// Makes the file if there is none.
    ///
    /// With `isAlone` no other process has it open, nor can open it, until it is closed. Throws `foreignLog` for a log that is of another
    /// file, `missingDatabase` if only a log or the like is left of one, and `inUse` for a file that others have open, or one has alone.
    package init(
        path: String, mode: UInt32 = DatabaseFile.standardMode, isAlone: Bool = false
    ) throws(SQLiteError) {
        try Volume.check(holding: path)
        files = DatabaseFiles(path)
        companion = path == ":memory:" || path.isEmpty ? nil : Companion(of: files.path, creating: mode)
        guard let companion else {
            guard !isAlone else { throw Backup.failure("open", Companion.path(of: files.path)) }
            (isFirst, identity) = (false, nil)
            return
        }
        (isFirst, identity) = try companion.atGate { [files] () throws(SQLiteError) in
            (try Self.enter(files, companion, mode, isAlone), files.identity)
        }
    }

    /// To be called once something was written: the log has its header then.
    package func noteLog() throws(SQLiteError) {
        guard let companion else { return }
        try companion.atGate { () throws(SQLiteError) in
            guard var record = companion.record(), record.salt == nil, record.marks.count == 1,
                let salt = files.salt()
            else { return }
            record.salt = salt
            _ = companion.write(record)
        }
    }

    /// To be called after the last connection of this process has gone.
    ///
    /// If the log cannot be emptied it stays, and serves the next start.
    package func close() {
        guard let companion else { return }
        do {
            try companion.atGate { () throws(SQLiteError) in
                companion.unlock(.presence)
                guard companion.lock(.presence, F_WRLCK) else { return }
                defer { companion.unlock(.presence) }
                // The log is not that of another file which has come to its place.
                guard files.identity == identity, isOurs(companion.record()) else { return }
                let connection = try Connection(path: files.path, mode: .sole)
                try Self.mark(files, connection, companion, inUse: false)
            }
        } catch {
            companion.unlock(.presence)
        }
    }

    /// Whether it bears a mark of this time; what was written over it does not.
    private func isOurs(_ record: LogRecord?) -> Bool {
        guard let mark = files.mark() else { return false }
        return record?.marks.contains(mark) ?? true
    }

    /// If others are in the database already, the first of them has looked.
    private static func enter(
        _ files: DatabaseFiles, _ companion: Companion, _ mode: UInt32, _ isAlone: Bool
    ) throws(SQLiteError) -> Bool {
        let isFirst = companion.lock(.presence, F_WRLCK)
        do throws(SQLiteError) {
            if isFirst {
                try enterFirst(files, companion, mode, isAlone)
            } else {
                guard !isAlone else { throw inUse(files, "a renga process has it open") }
                try demandShared(files, companion)
                try LogJudgement.demandSame(files, companion.record())
            }
        } catch {
            companion.unlock(.presence)
            throw error
        }
        if !isAlone { _ = companion.lock(.presence, F_RDLCK) }
        return isFirst
    }

    static func inUse(_ files: DatabaseFiles, _ words: String) -> SQLiteError {
        SQLiteError(
            code: SQLiteError.inUse,
            message: "\(files.path) is in use (\(words)): stop all servers and workers first")
    }

    private static func demandShared(_ files: DatabaseFiles, _ companion: Companion) throws(SQLiteError) {
        guard companion.isHeldAlone else { return }
        throw SQLiteError(
            code: SQLiteError.inUse,
            message:
                "one process has \(files.path) to itself, as its jobs are being moved: wait until `renga move` has ended there"
        )
    }

    private static func enterFirst(
        _ files: DatabaseFiles, _ companion: Companion, _ mode: UInt32, _ isAlone: Bool
    ) throws(SQLiteError) {
        let judgement = try LogJudgement(files, companion.record())
        makeIfAbsent(files.path, mode)
        guard let connection = try takeAlone(files, judgement) else {
            guard !isAlone else { throw inUse(files, "another program has it open") }
            return
        }
        if judgement == .doubtful { try demandSound(files, connection) }
        do throws(SQLiteError) {
            try mark(files, connection, companion, inUse: true)
        } catch {
            // A full disk, say: the record knows both marks, and the log is its file's as before.
        }
    }

    /// Nil if another program has the file open, or a renga before these marks: it goes on with its log, and the mark stays.
    private static func takeAlone(
        _ files: DatabaseFiles, _ judgement: LogJudgement
    ) throws(SQLiteError) -> Connection? {
        do throws(SQLiteError) {
            return try Connection(path: files.path, mode: .sole)
        } catch {
            if error.primaryCode == SQLiteError.busy { return nil }
            let isDamaged = error.primaryCode == SQLiteError.corrupt && judgement == .doubtful
            throw isDamaged ? LogJudgement.damaged(files, error.message) : error
        }
    }

    /// With its mode from the first moment on; SQLite gives the log the same.
    private static func makeIfAbsent(_ path: String, _ mode: UInt32) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Reads every page, through the log, before anything of it is copied.
    static func demandSound(_ files: DatabaseFiles, _ connection: Connection) throws(SQLiteError) {
        let answer: String
        do throws(SQLiteError) {
            answer = try connection.text(of: "PRAGMA integrity_check(1)")
        } catch {
            throw LogJudgement.damaged(files, error.message)
        }
        if answer != "ok" { throw LogJudgement.damaged(files, answer) }
    }

    /// Gives the file a new mark, and copies the log into it to its last page.
    ///
    /// Only on a connection that has the file to itself: then TRUNCATE copies beside no writer.
    static func mark(
        _ files: DatabaseFiles, _ connection: Connection, _ companion: Companion, inUse: Bool
    ) throws(SQLiteError) {
        let old = Int32(try connection.text(of: "PRAGMA application_id")) ?? 0
        let new = FileMark.random(inUse: inUse)
        // All count until the new one is on disk: the file's own, what its log says of it, and this.
        let known = Set([files.mark() ?? old, old, new])
        guard companion.write(LogRecord(marks: known.sorted())) else { return }
        try connection.execute("PRAGMA application_id = \(new)")
        let status = sqlite3_wal_checkpoint_v2(connection.handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard status == SQLITE_OK else { throw connection.failure(status, sql: nil) }
        _ = companion.write(LogRecord(marks: [new]))
    }
}

extension DatabaseFile {
    /// Whether there is a file with something in it, which may be opened as it lies there; changes nothing.
    package static func isThere(_ path: String) throws(SQLiteError) -> Bool {
        try check(path: path)
        return (DatabaseFiles.size(DatabaseFiles(path).path) ?? 0) > 0
    }

    /// Whether the file that lies there may be opened with the log beside it; for looks that change nothing.
    package static func check(path: String) throws(SQLiteError) {
        let files = DatabaseFiles(path)
        let companion = Companion(of: files.path, creating: nil)
        guard let companion else {
            _ = try LogJudgement(files, nil)
            return
        }
        try companion.atGate { () throws(SQLiteError) in
            guard companion.lock(.presence, F_WRLCK) else { return try demandShared(files, companion) }
            defer { companion.unlock(.presence) }
            _ = try LogJudgement(files, companion.record())
        }
    }
}
