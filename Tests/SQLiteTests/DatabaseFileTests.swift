import Glibc
import Testing

@testable import SQLite

/// A database with its log, through every way in which the two may come apart.
@Suite struct DatabaseFileTests {
    private static let table = "CREATE TABLE t (n INTEGER)"

    /// A file in use by one process, with so many rows in its log.
    private final class Live: Sendable {
        let file: DatabaseFile
        let writer: Writer

        init(_ directory: TemporaryDirectory, mode: UInt32 = DatabaseFile.standardMode) async throws {
            file = try DatabaseFile(path: directory.database, mode: mode)
            writer = try Writer(path: directory.database)
            try await writer.write { connection in
                try connection.run("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
                // The log begins with something that is written.
                try connection.run("CREATE TABLE IF NOT EXISTS opening (n INTEGER)")
                try connection.run("INSERT INTO opening VALUES (1)")
            }
            try file.noteLog()
        }

        func insert(_ count: Int) async throws {
            try await writer.write { connection in
                for number in 0..<count {
                    try connection.run("INSERT INTO t VALUES (?1)", [.integer(number)])
                }
            }
        }

        func close() async {
            await writer.close()
            file.close()
        }
    }

    /// The files as a kill leaves them: nothing writes meanwhile, so a copy is what the disk has.
    private func killed(_ directory: TemporaryDirectory, suffixes: [String] = ["", "-wal", "-writers"])
        throws -> TemporaryDirectory
    {
        let left = TemporaryDirectory()
        for suffix in suffixes { try copy(directory.database + suffix, to: left.database + suffix) }
        return left
    }

    private func copy(_ source: String, to destination: String) throws {
        let (from, to) = (open(source, O_RDONLY), open(destination, O_WRONLY | O_CREAT | O_TRUNC, 0o600))
        defer {
            close(from)
            close(to)
        }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var count = read(from, &bytes, bytes.count)
        while count > 0 {
            try #require(write(to, bytes, count) == count)
            count = read(from, &bytes, bytes.count)
        }
        try #require(count == 0)
    }

    private func rows(_ directory: TemporaryDirectory) async throws -> Int {
        let live = try await Live(directory)
        let count = try await live.writer.write { connection in try connection.count("t") }
        await live.close()
        return count
    }

    private func refusal(_ directory: TemporaryDirectory) -> SQLiteError? {
        #expect(throws: SQLiteError.self) { _ = try DatabaseFile(path: directory.database) }
    }

    @Test func `the last who leaves empties the log, and nobody else`() async throws {
        let directory = TemporaryDirectory()
        let (first, second) = (try await Live(directory), try await Live(directory))
        #expect(first.file.isFirst && !second.file.isFirst)
        try await second.insert(100)
        await first.close()
        #expect(directory.size(of: "test.db-wal") > 0)
        await second.close()
        #expect(directory.size(of: "test.db-wal") == 0)
        #expect(try await rows(directory) == 100)
    }

    @Test func `a killed process's log is its file's, wherever both are`() async throws {
        let directory = TemporaryDirectory()
        let live = try await Live(directory)
        try await live.insert(50)
        #expect(try await rows(try killed(directory)) == 50)
        // Without the note of whose log it is, every page is looked at.
        #expect(try await rows(try killed(directory, suffixes: ["", "-wal"])) == 50)
        // With the note of another time: what was brought back together belongs together.
        let pair = try killed(directory)
        #expect(try await rows(pair) == 50)
        let later = try await Live(pair)
        try await later.insert(5)
        for suffix in ["", "-wal"] { try copy(directory.database + suffix, to: pair.database + "2" + suffix) }
        try copy(pair.database + "-writers", to: pair.database + "2-writers")
        let second = try DatabaseFile(path: pair.database + "2")
        second.close()
        #expect(try Connection(path: pair.database + "2", mode: .read).count("t") == 50)
        await later.close()
        await live.close()
    }

    @Test func `a log of another time is refused, with the cure, and nothing is changed`() async throws {
        let directory = TemporaryDirectory()
        let before = try await Live(directory)
        try await before.insert(10)
        await before.close()
        let old = try killed(directory, suffixes: [""])

        let live = try await Live(directory)
        try await live.insert(2_000)
        let left = try killed(directory)
        await live.close()
        try copy(old.database, to: left.database)
        let size = left.size(of: "test.db-wal")
        let error = refusal(left)
        #expect(error?.code == SQLiteError.foreignLog)
        #expect(error?.message.contains("mv ") == true && error?.message.contains("renga restore") == true)
        #expect(left.size(of: "test.db-wal") == size)
        // The cure.
        rename(left.database + "-wal", left.database + "-wal.former")
        #expect(try await rows(left) == 10)
    }

    @Test func `a log of a backup's source is not the backup's`() async throws {
        let directory = TemporaryDirectory()
        let live = try await Live(directory)
        try await live.insert(10)
        try await Backup.copy(database: directory.database, to: directory.path + "/copy.db")
        try await live.insert(2_000)
        let left = try killed(directory)
        try copy(directory.path + "/copy.db", to: left.database)
        #expect(refusal(left)?.code == SQLiteError.foreignLog)
        await live.close()
    }

    @Test func `a file that is gone is not made anew beside what belongs to it`() async throws {
        let directory = TemporaryDirectory()
        #expect(try await rows(directory) == 0)
        rename(directory.database, directory.path + "/elsewhere.db")
        let error = refusal(directory)
        #expect(error?.code == SQLiteError.missingDatabase)
        #expect(error?.message.contains("rm -f") == true)
        #expect(!directory.entries.contains("test.db"))
        for suffix in ["-wal", "-shm", "-writers"] { unlink(directory.database + suffix) }
        #expect(try await rows(directory) == 0)
    }

    /// Every state that a kill between two steps of a new mark leaves behind.
    @Test func `a kill while the mark changes refuses nothing`() async throws {
        let directory = TemporaryDirectory()
        let live = try await Live(directory)
        try await live.insert(20)
        let files = DatabaseFiles(directory.database)
        let mark = try #require(files.mark())
        for marks in [[mark, 42], [42, mark], [7, mark, 9]] {
            let left = try killed(directory)
            let companion = try #require(Companion(of: left.database, creating: nil))
            #expect(companion.write(LogRecord(marks: marks)))
            #expect(try await rows(left) == 20)
        }
        await live.close()
    }

    @Test func `a torn copy of a file in use is refused`() async throws {
        let directory = TemporaryDirectory()
        let earlier = try await Live(directory)
        try await earlier.insert(20_000)
        await earlier.close()
        let live = try await Live(directory)
        let torn = try killed(directory, suffixes: [""])
        await live.close()
        // Pages of two times: an index that knows what its table does not.
        let descriptor = open(torn.database, O_RDWR)
        var page = [UInt8](repeating: 0xA5, count: 4_096)
        if torn.size(of: "test.db") < 4 * 4_096 { ftruncate(descriptor, 4 * 4_096) }
        _ = pwrite(descriptor, &page, page.count, 4_096)
        close(descriptor)
        #expect(refusal(torn)?.code == SQLiteError.foreignLog)
    }

    @Test func `files are their owner's alone, or as the setting says`() async throws {
        func mode(_ path: String) -> UInt32 {
            var facts = stat()
            return stat(path, &facts) == 0 ? facts.st_mode & 0o777 : 0
        }
        let directory = TemporaryDirectory()
        let live = try await Live(directory)
        try await live.insert(1)
        for suffix in ["", "-wal", "-shm", "-writers"] { #expect(mode(directory.database + suffix) == 0o600) }
        try await Backup.copy(database: directory.database, to: directory.path + "/copy.db")
        #expect(mode(directory.path + "/copy.db") == 0o600)
        await live.close()
        let shared = TemporaryDirectory()
        let open = try await Live(shared, mode: 0o640)
        try await open.insert(1)
        for suffix in ["", "-wal", "-shm", "-writers"] { #expect(mode(shared.database + suffix) == 0o640) }
        await open.close()
    }

    @Test func `a moved or deleted file is noticed by the next read and the next write`() async throws {
        let directory = TemporaryDirectory()
        let live = try await Live(directory)
        let readers = try Readers(path: directory.database, count: 1)
        rename(directory.database, directory.path + "/elsewhere.db")
        let written = await #expect(throws: SQLiteError.self) { try await live.insert(1) }
        let read = await #expect(throws: SQLiteError.self) { try await readers.read { try $0.count("t") } }
        #expect(written?.code == SQLiteError.moved && read?.code == SQLiteError.moved)
        // Put back, it goes on.
        rename(directory.path + "/elsewhere.db", directory.database)
        try await live.insert(1)
        await readers.close()
        await live.close()
    }

    @Test func `the note of a log is read as it was written`() {
        for record in [
            LogRecord(marks: [1]), LogRecord(marks: [Int32.max, 2, Int32.max - 1], salt: .max),
            LogRecord(marks: [3, 4], salt: 0),
        ] {
            #expect(record.text.utf8.count == LogRecord.length)
            #expect(LogRecord(record.text) == record)
        }
        for text in ["", "renga-log 1\n", "renga-log 2 1 -\n", "renga-log 1 - -\n"] {
            #expect(LogRecord(text) == nil)
        }
    }

    @Test func `A file that is to be had alone is refused while others have it, and to others afterwards`()
        async throws
    {
        let directory = TemporaryDirectory()
        let live = try await Live(directory)
        let refused = #expect(throws: SQLiteError.self) {
            _ = try DatabaseFile(path: directory.database, isAlone: true)
        }
        #expect(refused?.code == SQLiteError.inUse)
        await live.close()

        let alone = try DatabaseFile(path: directory.database, isAlone: true)
        for isAlone in [false, true] {
            let error = #expect(throws: SQLiteError.self) {
                _ = try DatabaseFile(path: directory.database, isAlone: isAlone)
            }
            #expect(error?.code == SQLiteError.inUse)
        }
        let looked = #expect(throws: SQLiteError.self) { try DatabaseFile.check(path: directory.database) }
        #expect(looked?.message.contains("renga move") == true)
        alone.close()
        try DatabaseFile.check(path: directory.database)
        await (try await Live(directory)).close()
    }

    @Test func `A file that another program has open is not to be had alone`() async throws {
        let directory = TemporaryDirectory()
        await (try await Live(directory)).close()
        let other = try Connection(path: directory.database, mode: .read)
        try other.snapshot {
            _ = try other.exists("SELECT 1 FROM t")
            let error = #expect(throws: SQLiteError.self) {
                _ = try DatabaseFile(path: directory.database, isAlone: true)
            }
            #expect(error?.code == SQLiteError.inUse)
        }
    }
}
