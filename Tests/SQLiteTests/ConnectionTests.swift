import Glibc
import SQLite
import Testing

struct ConnectionTests {
    let directory = TemporaryDirectory()

    private func connection() throws -> Connection {
        let connection = try Connection(path: directory.database)
        try connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v ANY, name TEXT UNIQUE) STRICT")
        return connection
    }

    /// Not an argument of the test: the log would print each of its bytes.
    private static let values: [Value] = [
        nil, 7, -1, .integer(Int64.max), 1.5, true, "", "naïve 🙂", "a\0b",
        .text(String(repeating: "é", count: 5_000)),
        .blob([]), .blob([0, 255]), .blob([UInt8](repeating: 9, count: 100_000)),
    ]

    @Test(arguments: values.indices)
    func `a bound value comes back as it was`(index: Int) throws {
        let value = Self.values[index]
        let connection = try connection()
        try connection.run("INSERT INTO t (v) VALUES (?1)", [value])
        let back = try connection.queryOne("SELECT v, typeof(v) FROM t") { row -> Value in
            switch row.text(1) {
            case "integer": .integer(row.int64(0))
            case "real": .real(row.double(0))
            case "text": .text(row.text(0))
            case "blob": .blob(row.blob(0))
            default: row.isNull(0) ? .null : "neither"
            }
        }
        #expect(back == value)
    }

    @Test func `bytes bound as UTF-8 are stored as text`() throws {
        let connection = try connection()
        for bytes in [[UInt8](), Array("naïve".utf8), [UInt8](repeating: 97, count: 10_000)] {
            try connection.run("INSERT OR REPLACE INTO t (id, v) VALUES (1, ?1)", [.utf8(bytes)])
            let back = try connection.queryOne("SELECT v, typeof(v) FROM t") {
                ($0.text(0), $0.text(1), $0.blob(0))
            }
            #expect(back?.0 == String(decoding: bytes, as: UTF8.self))
            #expect(back?.1 == "text")
            #expect(back?.2 == bytes)
        }
    }

    @Test func `several large values in one statement keep their places`() throws {
        let connection = try connection()
        let large = { (letter: String) in String(repeating: letter, count: 3_000) }
        try connection.run("CREATE TABLE wide (a, b, c, d, e)")
        try connection.run(
            "INSERT INTO wide VALUES (?1, ?2, ?3, ?4, ?5)",
            [.text(large("a")), 2, .blob(Array(large("c").utf8)), nil, .text(large("e"))])
        let row = try connection.queryOne("SELECT a, b, c, d, e FROM wide") {
            ($0.text(0), $0.int(1), $0.blob(2), $0.textOrNil(3), $0.text(4))
        }
        #expect(row?.0 == large("a"))
        #expect(row?.1 == 2)
        #expect(row?.2 == Array(large("c").utf8))
        #expect(row?.3 == nil)
        #expect(row?.4 == large("e"))
    }

    @Test func `a value left out is refused, not bound as NULL`() throws {
        let connection = try connection()
        let error = #expect(throws: SQLiteError.self) { try connection.run("INSERT INTO t (v) VALUES (?1)") }
        #expect(error?.code == SQLiteError.range)
        #expect(try connection.count("t") == 0)
    }

    @Test func `a broken constraint is named by its extended code, without the values`() throws {
        let connection = try connection()
        try connection.run("INSERT INTO t (name) VALUES (?1)", ["secret"])
        let error = #expect(throws: SQLiteError.self) {
            try connection.run("INSERT INTO t (name) VALUES (?1)", ["secret"])
        }
        #expect(error?.code == SQLiteError.constraintUnique)
        #expect(error?.primaryCode == SQLiteError.constraint)
        #expect(error?.sql == "INSERT INTO t (name) VALUES (?1)")
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `a statement works again after it failed`() throws {
        let connection = try connection()
        for _ in 0..<3 {
            try connection.run("INSERT OR IGNORE INTO t (name) VALUES (?1)", ["x"])
            #expect(throws: SQLiteError.self) {
                try connection.run("INSERT INTO t (name) VALUES (?1)", ["x"])
            }
        }
        #expect(try connection.run("UPDATE t SET name = ?1", ["y"]) == 1)
    }

    @Test func `a query may run the same query inside itself`() throws {
        let connection = try connection()
        func numbers(_ depth: Int) throws -> [Int] {
            try connection.query("SELECT value FROM json_each('[1,2]') WHERE ?1 = ?1", [.integer(depth)]) {
                row in
                depth == 0 ? row.int(0) : try numbers(depth - 1).reduce(row.int(0), +)
            }
        }
        #expect(try numbers(2) == [4 + 5 + 1, 4 + 5 + 2].map { $0 })
    }

    @Test func `what a decoder throws ends the statement and lets the log start afresh`() throws {
        struct Stop: Error {}
        let connection = try connection()
        #expect(throws: Stop.self) {
            try connection.forEach("SELECT value FROM json_each('[1,2,3]')") { _ in throw Stop() }
        }
        #expect(!connection.isInTransaction)
        try connection.run("DROP TABLE t")
    }

    @Test func `RETURNING gives its first row and does all its work`() throws {
        let connection = try connection()
        let id = try connection.queryOne("INSERT INTO t (v) VALUES (1), (2), (3) RETURNING id") { $0.int(0) }
        #expect(id == 1)
        #expect(try connection.count("t") == 3)
    }

    @Test func `two statements in one text are refused`() throws {
        let connection = try connection()
        #expect(throws: SQLiteError.self) { try connection.run("SELECT 1; DROP TABLE t") }
        #expect(try connection.queryOne("SELECT 1; ") { $0.int(0) } == 1)
    }

    @Test func `a double-quoted misspelling is an error, not a text`() throws {
        let connection = try connection()
        #expect(throws: SQLiteError.self) { try connection.run(#"SELECT "nmae" FROM t"#) }
    }

    @Test func `a part of a transaction that throws leaves only its neighbours behind`() throws {
        struct Stop: Error {}
        let connection = try connection()
        try connection.run("BEGIN IMMEDIATE")
        _ = try connection.savepoint { try connection.run("INSERT INTO t (v) VALUES (2)") }
        #expect(throws: Stop.self) {
            try connection.savepoint {
                try connection.run("INSERT INTO t (v) VALUES (3)")
                throw Stop()
            }
        }
        try connection.run("COMMIT")
        #expect(try connection.query("SELECT v FROM t") { $0.int(0) } == [2])
    }

    @Test func `a file gets the settings that sharing it needs`() throws {
        let connection = try connection()
        func setting(_ name: String) throws -> String {
            try connection.queryOne(SQL("PRAGMA \(name)")) { $0.text(0) } ?? ""
        }
        #expect(try setting("journal_mode") == "wal")
        #expect(try setting("auto_vacuum") == "2")
        #expect(try setting("synchronous") == "2")
        #expect(try setting("foreign_keys") == "1")
        #expect(try setting("wal_autocheckpoint") == "0")
        #expect(try setting("mmap_size") == "0")
        #expect(try setting("cache_size") == "-8000")
    }

    @Test func `a reader cannot write, and does not create the file`() throws {
        #expect(throws: SQLiteError.self) { try Connection(path: directory.database, mode: .read) }
        #expect(directory.entries.isEmpty)
        _ = try connection()
        let reader = try Connection(path: directory.database, mode: .read)
        let error = #expect(throws: SQLiteError.self) { try reader.run("INSERT INTO t (v) VALUES (1)") }
        #expect(error?.primaryCode == SQLiteError.readOnly)
    }

    @Test func `closing the last connection leaves the log alone`() throws {
        do { _ = try connection() }
        #expect(directory.size(of: "test.db-wal") > 0)
    }

    @Test func `more texts than are kept still work`() throws {
        let connection = try connection()
        for number in 0..<600 {
            #expect(try connection.queryOne(SQL("SELECT \(number)")) { $0.int(0) } == number)
        }
    }

    @Test func `a file that is no database is refused and let go`() throws {
        let file = open(directory.database, O_CREAT | O_WRONLY, 0o600)
        for _ in 0..<2_000 { write(file, "no", 2) }
        close(file)
        for mode in [Connection.Mode.write, .read] {
            let error = #expect(throws: SQLiteError.self) {
                let connection = try Connection(path: directory.database, mode: mode)
                try connection.run("SELECT count(*) FROM sqlite_schema")
            }
            #expect(error?.primaryCode == SQLiteError.notADatabase)
        }
        let held = (0..<200).filter { descriptor in
            var target = [CChar](repeating: 0, count: 256)
            let count = max(0, readlink("/proc/self/fd/\(descriptor)", &target, 256))
            return String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
                == directory.database
        }
        #expect(held.isEmpty)
    }

    @Test func `opening a file that exists writes nothing`() throws {
        let first = try connection()
        try first.run("BEGIN IMMEDIATE")
        let start = monotonicSeconds()
        _ = try Connection(path: directory.database)
        #expect(monotonicSeconds() - start < 5)
    }

    @Test func `what takes too many steps gives nothing, and the transaction around it goes on`() throws {
        let connection = try connection()
        try connection.run("BEGIN IMMEDIATE")
        try connection.run("INSERT INTO t (v) VALUES (1)")
        func count(to end: Int64) throws -> Int? {
            try connection.queryOne(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT count(*) FROM n",
                [.integer(end)], { row in row.int(0) })
        }
        #expect(try connection.within(steps: 100_000) { try count(to: 100) } == 100)
        #expect(try connection.within(steps: 100_000) { try count(to: 1_000_000) } == nil)
        // Many short statements are as much as a long one.
        let counts = try connection.within(steps: 100_000) { try (0..<5_000).map { _ in try count(to: 100) } }
        #expect(counts == nil)
        #expect(try count(to: 1_000_000) == 1_000_000)
        try connection.run("COMMIT")
        #expect(try connection.count("t") == 1)
    }
}
