import Foundation
import Glibc
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

    @Test func `what a killed process left is cleared away, and what another one writes is not`() async throws
    {
        try Connection(path: directory.database).execute("CREATE TABLE a (v INTEGER) STRICT")
        let copy = "\(directory.path)/copy.db"
        let (left, held) = ("\(copy).partial-1", "\(copy).partial-2")
        let others = ["\(copy).partial-x", "\(directory.path)/other.db.partial-1"]
        for path in [left, held] + others { try Connection(path: path).execute("CREATE TABLE a (v INTEGER)") }
        #expect(FileManager.default.createFile(atPath: left + "-journal", contents: nil))
        let descriptor = open(held, O_RDWR)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        try await Backup.copy(database: directory.database, to: copy)
        for path in [left, left + "-journal"] { #expect(!FileManager.default.fileExists(atPath: path)) }
        for path in [held] + others { #expect(FileManager.default.fileExists(atPath: path)) }
        #expect(try Connection(path: copy).count("a") == 0)
    }
}
