import Dispatch
import SQLite
import Testing

struct ReadersTests {
    let directory = TemporaryDirectory()

    private func filled() async throws -> (Writer, Readers) {
        let writer = try Writer(path: directory.database)
        try await writer.write {
            try $0.execute("CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (1)")
        }
        return (writer, try Readers(path: directory.database, count: 2))
    }

    @Test func `a read sees one moment, whatever is written meanwhile`() async throws {
        let (writer, readers) = try await filled()
        let written = DispatchSemaphore(value: 0)
        let looked = DispatchSemaphore(value: 0)
        async let counts = readers.read { connection in
            let first = try connection.count("t")
            looked.signal()
            written.wait()
            return [first, try connection.count("t")]
        }
        // The read must have begun before the write; the wait is on a thread of its own.
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                looked.wait()
                continuation.resume()
            }
        }
        try await writer.write { try $0.run("INSERT INTO t VALUES (2)") }
        written.signal()
        #expect(try await counts == [1, 1])
        #expect(try await readers.read { try $0.count("t") } == 2)
    }

    @Test func `reads run beside each other`() async throws {
        let (_, readers) = try await filled()
        let there = DispatchSemaphore(value: 0)
        let here = DispatchSemaphore(value: 0)
        async let first = readers.read { _ in
            there.signal()
            return here.wait(timeout: .now() + 10) == .success
        }
        async let second = readers.read { _ in
            here.signal()
            return there.wait(timeout: .now() + 10) == .success
        }
        #expect(try await [first, second] == [true, true])
    }

    @Test func `what a read throws reaches its caller, and the reader goes on`() async throws {
        let (_, readers) = try await filled()
        await #expect(throws: SQLiteError.self) { try await readers.read { try $0.count("absent") } }
        await #expect(throws: SQLiteError.self) { try await readers.read { try $0.run("DELETE FROM t") } }
        #expect(try await readers.read { try $0.count("t") } == 1)
    }

    @Test func `closed readers finish what waits and refuse more`() async throws {
        let (_, readers) = try await filled()
        async let counts = withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await readers.read { try $0.count("t") } } }
            return try await group.reduce(0, +)
        }
        #expect(try await counts == 20)
        await readers.close()
        let error = await #expect(throws: SQLiteError.self) { try await readers.read { _ in } }
        #expect(error?.code == SQLiteError.closed)
    }

    @Test func `a read that takes too long is cut short, and the reader goes on`() async throws {
        let (_, unlimited) = try await filled()
        await unlimited.close()
        let readers = try Readers(path: directory.database, count: 1, timeLimitSeconds: 0.05)
        let error = await #expect(throws: SQLiteError.self) {
            try await readers.read { connection in
                try connection.queryOne(
                    "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n) SELECT count(*) FROM n"
                ) { $0.int(0) }
            }
        }
        #expect(error?.code == SQLiteError.interrupted)
        #expect(try await readers.read { try $0.count("t") } == 1)
    }
}
