import Glibc
import SQLite
import Testing

/// Behaviour that only several processes show: POSIX locks are a process's, not a thread's.
struct ProcessesTests {
    let directory = TemporaryDirectory()

    @Test func `eight processes that write at once all succeed, and none waits long`() async throws {
        let path = directory.database
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    // Each also creates the file, if it is the first.
                    await #expect(processExitsWith: .success) {
                        [path = path as String, number = number as Int] in
                        try await Child.write(path, number: number, rows: 200)
                    }
                }
            }
        }
        let connection = try Connection(path: path)
        #expect(try connection.count("t") == 8 * 200)
        #expect(try connection.integrity() == "ok")
        let worst = try connection.queryOne("SELECT max(seconds) FROM waits") { $0.double(0) } ?? 99
        print("REPORT worst wait for the lock: \(worst) s")
        #expect(worst < 5)
    }

    @Test func `what a killed process had acknowledged is there`() async throws {
        let path = directory.database
        let log = "\(directory.path)/acknowledged"
        for _ in 0..<3 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, log = log as String] in
                try await Child.writeUntilKilled(path, log)
            }
        }
        let connection = try Connection(path: path)
        #expect(try connection.integrity() == "ok")
        #expect(directory.size(of: "acknowledged") >= 3 * 500)
        #expect(try connection.count("t") >= directory.size(of: "acknowledged"))
    }

    @Test func `a commit of another process is noticed`() async throws {
        let path = directory.database
        try Connection(path: path).execute(Child.schema)
        let watcher = try ChangeWatcher(path: path)
        let changes = watcher.changes()
        let limit = Task {
            try await Task.sleep(for: .seconds(20))
            watcher.stop()
        }
        await #expect(processExitsWith: .success) { [path = path as String] in
            try await Child.write(path, number: 0, rows: 1)
        }
        var heard = false
        for await _ in changes {
            heard = true
            break
        }
        #expect(heard)
        limit.cancel()
    }
}

/// What the child processes do.
private enum Child {
    static let schema = """
        CREATE TABLE IF NOT EXISTS t (process INTEGER, n INTEGER, pad BLOB) STRICT;
        CREATE TABLE IF NOT EXISTS waits (seconds REAL) STRICT;
        """

    static func write(_ path: String, number: Int, rows: Int) async throws {
        let writer = try Writer(path: path, pagesBetweenCheckpoints: 100)
        try await writer.write { try $0.execute(schema) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for n in 0..<rows {
                if n >= 4 { try await group.next() }
                group.addTask {
                    _ = try await writer.write { connection in
                        try connection.run(
                            "INSERT INTO t VALUES (?1, ?2, zeroblob(500))", [.integer(number), .integer(n)])
                    }
                }
            }
            try await group.waitForAll()
        }
        let worst = writer.statistics.longestLockWaitSeconds
        try await writer.write { try $0.run("INSERT INTO waits VALUES (?1)", [.real(worst)]) }
        await writer.close()
    }

    /// Notes one byte for each acknowledged row, and dies in the middle of more.
    static func writeUntilKilled(_ path: String, _ log: String) async throws {
        let writer = try Writer(path: path, pagesBetweenCheckpoints: 100)
        try await writer.write { try $0.execute(schema) }
        let descriptor = open(log, O_CREAT | O_WRONLY | O_APPEND, 0o600)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for n in 0..<100_000 {
                        let written = try? await writer.write { connection in
                            try connection.run(
                                "INSERT INTO t VALUES (?1, ?2, zeroblob(500))", [.integer(task), .integer(n)])
                        }
                        guard written != nil else { exit(1) }
                        Glibc.write(descriptor, "x", 1)
                        if task == 0, n == 500 { kill(getpid(), SIGKILL) }
                    }
                }
            }
        }
    }
}
