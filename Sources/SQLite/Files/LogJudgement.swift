/// Whether a database may be opened with the log that lies beside it.
enum LogJudgement: Equatable {
    case sound
    /// Unknown: every page is checked before anything is written.
    case doubtful

    /// Throws `foreignLog` and `missingDatabase`, with the cure.
    init(_ files: DatabaseFiles, _ record: LogRecord?) throws(SQLiteError) {
        let salt = files.salt()
        guard (DatabaseFiles.size(files.path) ?? 0) > 0 else {
            if record != nil || salt != nil { throw Self.missing(files) }
            self = .sound
            return
        }
        // What is no database is refused by SQLite, in its own words.
        guard let mark = files.mark() else {
            self = .sound
            return
        }
        if let salt {
            self = try Self.judge(files, mark, record, salt)
        } else {
            self = Self.judge(files, mark, record)
        }
    }

    /// A log that holds something.
    private static func judge(
        _ files: DatabaseFiles, _ mark: Int32, _ record: LogRecord?, _ salt: UInt32
    ) throws(SQLiteError) -> LogJudgement {
        guard let record else { return .doubtful }
        switch record.isAbout(log: salt) {
        // File and log were brought here together, and the record is of others.
        case false?: return .doubtful
        case nil: return record.marks.contains(mark) ? .sound : .doubtful
        case true?:
            if record.marks.contains(mark) { return .sound }
            throw foreign(files)
        }
    }

    /// No log: it may have been left behind when the file was copied.
    private static func judge(_ files: DatabaseFiles, _ mark: Int32, _ record: LogRecord?) -> LogJudgement {
        guard FileMark.isInUse(mark) else { return .sound }
        let hasEmptyLog = DatabaseFiles.size(files.log) != nil
        return hasEmptyLog && record?.marks.contains(mark) == true ? .sound : .doubtful
    }
}

extension LogJudgement {
    /// Whether the files are those that others have open: they would go on with theirs, and the two would diverge.
    static func demandSame(_ files: DatabaseFiles, _ record: LogRecord?) throws(SQLiteError) {
        guard files.identity != nil else { throw missing(files) }
        guard let record else { return }
        // What cannot be read is left to SQLite: a sick disk says nothing of whose file it is.
        let isOther = files.mark().map { !record.marks.contains($0) } ?? (DatabaseFiles.size(files.path) == 0)
        if isOther { throw inUse("\(files.path) is another file than the one", files) }
        // Until the log has begun, the first to open the database may be about to make both.
        guard record.salt != nil else { return }
        for path in [files.log, files.index] where DatabaseFiles.identity(of: path) == nil {
            throw inUse("\(path) is gone, the one", files)
        }
    }

    private static func inUse(_ what: String, _ files: DatabaseFiles) -> SQLiteError {
        SQLiteError(
            code: SQLiteError.foreignLog,
            message: """
                \(what) that running servers and workers have open. Nothing was changed. Stop them all; then put back what was \
                there, or a backup: renga restore FILE --database \(files.path)
                """)
    }
}

/// What is wrong, and what to do.
extension LogJudgement {
    private static func foreign(_ files: DatabaseFiles) -> SQLiteError {
        let (path, log) = (files.path, files.log)
        return SQLiteError(
            code: SQLiteError.foreignLog,
            message: """
                \(log) is not the log of this file: the file was replaced while the log of the former one stayed. \
                Nothing was changed. To go on with the file that is there now: \
                mv \(log) \(log).former && rm -f \(files.index) && renga migrate --database \(path)   \
                (and replace a database with `renga restore FILE`, which keeps the two together)
                """)
    }

    static func missing(_ files: DatabaseFiles) -> SQLiteError {
        let path = files.path
        return SQLiteError(
            code: SQLiteError.missingDatabase,
            message: """
                there is no \(path), but there was one: what belongs to it lies beside it. Put the file back, or a backup \
                in its place: renga restore FILE --database \(path)   To begin with an empty one: \
                rm -f \(files.log) \(files.index) \(Companion.path(of: path))
                """)
    }

    static func damaged(_ files: DatabaseFiles, _ words: String) -> SQLiteError {
        SQLiteError(
            code: SQLiteError.foreignLog,
            message: """
                \(files.path) is damaged, or the log beside it is of another file, or it was copied while it was in use \
                (\(words)). Nothing was changed. Put a backup in its place: renga restore FILE --database \(files.path)
                """)
    }
}
