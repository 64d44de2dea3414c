import CSQLite
import Glibc

/// Another file in the place of a database, as a whole or not at all: `renga restore`.
///
/// The file is copied beside the database first, with its log if it has one, and looked at there: what it came from stays as
/// it is. No process can open the database from `begin` on.
package final class Replacement {
    /// What the copy is called until it takes the place.
    package let staged: String
    /// Whether the file was copied while it was in use: what stood in its log then is missing.
    package let wasInUse: Bool
    private let files: DatabaseFiles
    private let partial: PartialFile
    private let companion: Companion
    private var mark: Int32 = 0

    /// Copies and examines the file; throws what is wrong with it, or that the database is in use.
    package init(of database: String, by file: String, mode: UInt32) throws(SQLiteError) {
        try Volume.check(holding: database)
        files = DatabaseFiles(database)
        let source = DatabaseFiles(file)
        try Self.check(source, isNot: files)
        guard let companion = Companion(of: files.path, creating: mode) else {
            throw Backup.failure("open", Companion.path(of: files.path))
        }
        self.companion = companion
        try Self.claim(companion, files)
        wasInUse = source.salt() == nil && source.mark().map(FileMark.isInUse) == true
        partial = try PartialFile(of: files.path, mode: mode)
        staged = partial.path
        try stage(source)
    }

    deinit {
        partial.remove()
        companion.unlock(.presence)
        companion.unlock(.gate)
    }

    private static func check(_ source: DatabaseFiles, isNot files: DatabaseFiles) throws(SQLiteError) {
        guard (DatabaseFiles.size(source.path) ?? 0) > 0 else {
            throw Backup.refusal("\(source.path) is empty, or there is no such file")
        }
        guard source.path != files.path else {
            throw Backup.refusal("\(source.path) is the database itself; name the copy to put in its place")
        }
        let record = Companion(of: source.path, creating: nil)
        if let record, !record.lock(.presence, F_WRLCK) {
            throw Backup.refusal(
                "\(source.path) is in use; make a copy of it: renga backup --database \(source.path) FILE")
        }
        _ = try LogJudgement(source, record?.record())
    }

    /// From here on no process opens the database; throws if one has it open.
    private static func claim(_ companion: Companion, _ files: DatabaseFiles) throws(SQLiteError) {
        guard companion.lock(.gate, F_WRLCK), companion.lock(.presence, F_WRLCK) else {
            throw DatabaseFile.inUse(files, "a renga process has it open")
        }
        guard (DatabaseFiles.size(files.path) ?? 0) > 0 else { return }
        do throws(SQLiteError) {
            _ = try Connection(path: files.path, mode: .sole)
        } catch {
            // Whatever else is wrong with it is why it is replaced.
            if error.primaryCode == SQLiteError.busy {
                throw DatabaseFile.inUse(files, "another program has it open")
            }
        }
    }

    /// Copies file and log, looks at every page, and leaves one file that bears a mark of its own.
    private func stage(_ source: DatabaseFiles) throws(SQLiteError) {
        try Self.copy(source.path, to: partial.descriptor, partial.path)
        if source.salt() != nil {
            let log = open(partial.path + "-wal", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard log >= 0 else { throw Backup.failure("make", partial.path + "-wal") }
            defer { close(log) }
            try Self.copy(source.log, to: log, partial.path + "-wal")
        }
        let mark = FileMark.random(inUse: false)
        do {
            let connection = try Connection(path: partial.path, mode: .sole)
            let answer = try connection.text(of: "PRAGMA integrity_check(1)")
            guard answer == "ok" else { throw Backup.refusal("\(source.path) is damaged: \(answer)") }
            try connection.execute("PRAGMA application_id = \(mark)")
            let mode = SQLITE_CHECKPOINT_TRUNCATE
            let status = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, nil, nil)
            guard status == SQLITE_OK else { throw connection.failure(status, sql: nil) }
        } catch let error as SQLiteError {
            throw error.primaryCode > 0 ? Backup.refusal("\(source.path) cannot be used: \(error)") : error
        } catch {
            throw Backup.refusal("\(error)")
        }
        PartialFile.removeCompanions(of: partial.path)
        self.mark = mark
    }

    private static func copy(_ path: String, to copy: Int32, _ name: String) throws(SQLiteError) {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw Backup.failure("open", path) }
        defer { close(source) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(source, &bytes, bytes.count)
            guard count >= 0 else { throw Backup.failure("read", path) }
            if count == 0 { break }
            var offset = 0
            while offset < count {
                let written = bytes.withUnsafeBytes { buffer in
                    write(copy, buffer.baseAddress?.advanced(by: offset), count - offset)
                }
                guard written > 0 else { throw Backup.failure("write", name) }
                offset += written
            }
        }
    }
}

extension Replacement {
    /// Gives the database's file and its log another name, and the copy theirs; returns what the former file is called now.
    ///
    /// A death in between leaves no database, and a start says so instead of making one.
    package func takePlace(at time: String) throws(SQLiteError) -> String? {
        // Two restores of one second keep both.
        let name = "\(files.path).replaced-\(time)"
        let names = (0..<100).lazy.map { $0 == 0 ? name : "\(name)-\($0)" }
        guard let kept = names.first(where: { access($0, F_OK) != 0 }) else {
            throw Backup.refusal("\(name) exists a hundred times")
        }
        guard companion.write(LogRecord(marks: [mark])) else {
            throw Backup.failure("write", Companion.path(of: files.path))
        }
        try Backup.sync(staged)
        let isKept = try keep(as: kept)
        guard link(staged, files.path) == 0 else { throw Backup.failure("name", files.path) }
        try Backup.sync(Volume.directory(of: files.path))
        return isKept ? kept : nil
    }

    private func keep(as kept: String) throws(SQLiteError) -> Bool {
        let former = (files.path, kept)
        let isThere = files.exists
        if isThere, rename(former.0, former.1) != 0 { throw Backup.failure("rename", former.0) }
        if (DatabaseFiles.size(files.log) ?? 0) > 0 {
            guard rename(files.log, kept + "-wal") == 0 else { throw Backup.failure("rename", files.log) }
        }
        unlink(files.log)
        unlink(files.index)
        return isThere
    }
}
