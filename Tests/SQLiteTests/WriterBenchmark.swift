import Glibc
import SQLite
import Synchronization
import Testing

/// Figures to hold against the ceilings of C; run with RENGA_BENCHMARK=1 and a release build.
@Suite(.serialized, .enabled(if: getenv("RENGA_BENCHMARK") != nil))
struct WriterBenchmark {
    let directory = TemporaryDirectory()

    private static let schema = """
        CREATE TABLE IF NOT EXISTS job (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, rank INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
        CREATE INDEX IF NOT EXISTS job_ready ON job (lane, rank, id) WHERE state = 'queued';
        CREATE TABLE IF NOT EXISTS body (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
        """

    private static func enqueue(_ connection: Connection, _ payload: [UInt8]) throws {
        try connection.run("INSERT INTO job (lane, rank, state) VALUES (?1, ?2, ?3)", [1, 2, "queued"])
        try connection.run(
            "INSERT INTO body (id, body) VALUES (?1, ?2)",
            [.integer(connection.lastInsertRowID), .blob(payload)])
    }

    @Test(arguments: [1, 64, 512, 4096])
    func `enqueue, one row each`(callers: Int) async throws {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute(Self.schema) }
        let payload = [UInt8](repeating: 97, count: 500)
        let each = max(1, (callers == 1 ? 5_000 : 200_000) / callers)
        let start = monotonicSeconds()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    for _ in 0..<each { _ = try? await writer.write { try Self.enqueue($0, payload) } }
                }
            }
        }
        let seconds = monotonicSeconds() - start
        let statistics = writer.statistics
        print(
            "REPORT \(callers) callers: \(Int(Double(callers * each) / seconds))/s, \(statistics.operations / statistics.transactions) a transaction, longest \(statistics.longestTransactionSeconds)"
        )
        await writer.close()
    }

    @Test func `enqueue from a full mailbox`() async throws {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute(Self.schema) }
        let payload = [UInt8](repeating: 97, count: 500)
        let start = monotonicSeconds()
        for _ in 0..<4 {
            for _ in 0..<50_000 {
                writer.submit({ try Self.enqueue($0, payload) }, completion: { _ in })
            }
            try await writer.write { _ in }
        }
        print("REPORT full mailbox: \(Int(200_000 / (monotonicSeconds() - start)))/s \(writer.statistics)")
        await writer.close()
    }

    @Test func `a commit is heard of`() async throws {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute(Self.schema) }
        let watcher = try ChangeWatcher(path: directory.database)
        var delays: [Double] = []
        for _ in 0..<200 {
            try await Task.sleep(for: .milliseconds(7))
            let changes = watcher.changes()
            try await writer.write { try Self.enqueue($0, [1]) }
            let committed = monotonicSeconds()
            for await _ in changes { break }
            delays.append(monotonicSeconds() - committed)
        }
        delays.sort()
        print("REPORT heard after \(delays[100] * 1_000) ms (median), \(delays[197] * 1_000) ms (p99)")
    }

    @Test func `two saturated processes share the lock`() async throws {
        let path = directory.database
        try Connection(path: path).execute(
            Self.schema + "CREATE TABLE waits (seconds REAL, rate REAL) STRICT;")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String] in
                        try await WriterBenchmark.saturate(path)
                    }
                }
            }
        }
        let connection = try Connection(path: path)
        for line in try connection.query(
            "SELECT seconds, rate FROM waits", [], { "\($0.double(0)) s, \($0.double(1))/s" })
        {
            print("REPORT saturated: worst wait \(line)")
        }
    }

    static func saturate(_ path: String) async throws {
        let writer = try Writer(path: path)
        let payload = [UInt8](repeating: 97, count: 500)
        let start = monotonicSeconds()
        for _ in 0..<100_000 {
            if writer.statistics.waiting > 10_000 { try await writer.write { _ in } }
            writer.submit({ try Self.enqueue($0, payload) }, completion: { _ in })
        }
        try await writer.write { _ in }
        let rate = 100_000 / (monotonicSeconds() - start)
        let worst = writer.statistics.longestLockWaitSeconds
        try await writer.write {
            try $0.run("INSERT INTO waits VALUES (?1, ?2)", [.real(worst), .real(rate)])
        }
        await writer.close()
    }
}
