import SQLite

/// Where a record is read: in the words of SQLite's schema, whatever holds the rows.
protocol RecordSource: Sendable {
    /// Lends the rows as they are now.
    func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T

    /// The number that one of the questions answers with, if they are asked again and again: copies no rows.
    func number(_ file: SQL, _ values: [Value], onServer question: String) async throws -> Int

    /// What is wrong with what only this engine has.
    func violations() async throws -> [String]

    /// The rows as they are now, for many questions.
    func still(at path: String) async throws -> any RecordSource
}

/// A file, read over connections of the test's own.
struct RecordFile: RecordSource {
    let path: String

    func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        try await offPool { [path] in try body(try Connection(path: path, mode: .read)) }
    }

    func number(_ file: SQL, _ values: [Value], onServer question: String) async throws -> Int {
        try await read { connection in try connection.query(file, values) { $0.int(0) } }.first ?? 0
    }

    func violations() async throws -> [String] {
        let words = try await read { connection in
            try connection.query("PRAGMA integrity_check") { $0.text(0) }
        }
        return words == ["ok"] ? [] : words
    }

    /// To ask a file costs nothing.
    func still(at path: String) -> any RecordSource { self }
}
