import SQLite
import Testing

struct BackupTests {
    let directory = TemporaryDirectory()

    @Test func `a copy is whole, of one moment, and made while others write`() async throws {
        let writer = try Writer(path: directory.database)
        try await writer.write {
            try $0.execute("CREATE TABLE a (v INTEGER) STRICT; CREATE TABLE b (v INTEGER) STRICT")
        }
        let path = directory.database
        let copy = "\(directory.path)/copy.db"
        let writing = Task {
            var number = 0
            while !Task.isCancelled {
                number += 1
                let value = Value.integer(number)
                try await writer.write { connection in
                    try connection.run("INSERT INTO a VALUES (?1)", [value])
                    try connection.run("INSERT INTO b VALUES (?1)", [value])
                }
            }
        }
        try await Backup.copy(database: path, to: copy)
        writing.cancel()
        try await writing.value
        let connection = try Connection(path: copy, mode: .write)
        #expect(try connection.count("a") == connection.count("b"))
        #expect(try connection.integrity() == "ok")
        #expect(try connection.queryOne("PRAGMA auto_vacuum") { $0.int(0) } == 2)
        #expect(!directory.entries.contains { $0.contains("partial") })
    }

    @Test func `a copy never replaces a file`() async throws {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute("CREATE TABLE a (v INTEGER) STRICT") }
        let path = directory.database
        let error = await #expect(throws: SQLiteError.self) {
            try await Backup.copy(database: path, to: path)
        }
        #expect(error?.code == SQLiteError.system)
        await #expect(throws: SQLiteError.self) {
            try await Backup.copy(database: path, to: "/nonexistent/copy.db")
        }
    }
}
