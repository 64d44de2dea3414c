import Glibc
import Testing

@testable import SQLite

/// A copy in a database's place.
@Suite struct ReplacementTests {
    private func make(_ path: String, rows: Int, leavesLog: Bool = false) async throws {
        let file = try DatabaseFile(path: path)
        let writer = try Writer(path: path)
        try await writer.write { connection in
            try connection.run("CREATE TABLE t (n INTEGER)")
            for number in 0..<rows { try connection.run("INSERT INTO t VALUES (?1)", [.integer(number)]) }
        }
        await writer.close()
        if !leavesLog { file.close() }
    }

    @Test func `the copy takes the place, and the former file stays with its log`() async throws {
        let directory = TemporaryDirectory()
        let copy = directory.path + "/copy.db"
        try await make(copy, rows: 3)
        try await make(directory.database, rows: 500, leavesLog: true)
        #expect(directory.size(of: "test.db-wal") > 0)
        let kept = try Replacement(of: directory.database, by: copy, mode: 0o600).takePlace(at: "T")
        #expect(kept == directory.database + ".replaced-T")
        #expect(directory.size(of: "test.db.replaced-T-wal") > 0)
        let file = try DatabaseFile(path: directory.database)
        #expect(try Connection(path: directory.database, mode: .read).count("t") == 3)
        file.close()
        let former = try DatabaseFile(path: directory.database + ".replaced-T")
        #expect(try Connection(path: directory.database + ".replaced-T", mode: .read).count("t") == 500)
        former.close()
        #expect(!directory.entries.contains { $0.contains("partial") })
        #expect(try Connection(path: copy, mode: .read).count("t") == 3)
    }

    @Test func `nothing happens while anybody has the database open`() async throws {
        let directory = TemporaryDirectory()
        let copy = directory.path + "/copy.db"
        try await make(copy, rows: 3)
        let file = try DatabaseFile(path: directory.database)
        let error = #expect(throws: SQLiteError.self) {
            _ = try Replacement(of: directory.database, by: copy, mode: 0o600)
        }
        #expect(error?.message.contains("in use") == true)
        file.close()
        // Another program, which knows nothing of renga's files.
        let other = try Connection(path: directory.database, mode: .read)
        #expect(try other.count("sqlite_schema") == 0)
        let busy = #expect(throws: SQLiteError.self) {
            _ = try Replacement(of: directory.database, by: copy, mode: 0o600)
        }
        #expect(busy?.message.contains("another program") == true)
        withExtendedLifetime(other) {}
    }

    @Test func `a file that is damaged, empty, or the database itself is refused`() async throws {
        let directory = TemporaryDirectory()
        try await make(directory.database, rows: 3)
        let bad = directory.path + "/bad.db"
        try await make(bad, rows: 20_000)
        let descriptor = open(bad, O_WRONLY)
        let page = [UInt8](repeating: 0xA5, count: 4_096)
        _ = pwrite(descriptor, page, page.count, 3 * 4_096)
        close(descriptor)
        for path in [bad, directory.path + "/none.db", directory.database] {
            let error = #expect(throws: SQLiteError.self) {
                _ = try Replacement(of: directory.database, by: path, mode: 0o600)
            }
            #expect(error?.message.contains(path) == true)
        }
        #expect(try Connection(path: directory.database, mode: .read).count("t") == 3)
        #expect(!directory.entries.contains { $0.contains("partial") })
    }
}
