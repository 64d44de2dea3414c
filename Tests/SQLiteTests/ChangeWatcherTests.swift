import Glibc
import SQLite
import Testing

struct ChangeWatcherTests {
    let directory = TemporaryDirectory()

    private func writer() async throws -> Writer {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        return writer
    }

    /// Whether the stream yields within the bound.
    private func hears(_ changes: AsyncStream<Void>, within bound: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in changes { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: bound)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    @Test func `looks after a hint thin out and end, however long nothing is found`() {
        var looks = Looks()
        looks.begin(at: 0)
        var times: [Int64] = []
        for _ in 0..<1_000 {
            if let next = looks.next { times.append(next) }
            looks.thinOut(at: looks.next ?? 0)
        }
        #expect(times.count == 11)
        #expect(times.last == 2_047_000_000)
        #expect(looks.next == nil)
    }

    @Test func `a commit by another connection is noticed soon`() async throws {
        let writer = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        for number in 0..<20 {
            let changes = watcher.changes()
            try await writer.write { try $0.run("INSERT INTO t VALUES (?1)", [.integer(number)]) }
            #expect(await hears(changes, within: .seconds(5)))
        }
    }

    @Test func `the last of many commits is noticed`() async throws {
        // A hint precedes its commit; whoever hears must at some time see the last value.
        let writer = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        let readers = try Readers(path: directory.database, count: 1)
        let changes = watcher.changes()
        let listener = Task {
            for await _ in changes where try await readers.read({ try $0.count("t") }) == 150 { return true }
            return false
        }
        for number in 0..<150 {
            try await writer.write { try $0.run("INSERT INTO t VALUES (?1)", [.integer(number)]) }
        }
        let limit = Task {
            try await Task.sleep(for: .seconds(20))
            watcher.stop()
        }
        #expect(try await listener.value)
        limit.cancel()
    }

    @Test func `all who listen hear, and those who join later too`() async throws {
        let writer = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        let streams = (0..<3).map { _ in watcher.changes() }
        try await writer.write { try $0.run("INSERT INTO t VALUES (1)") }
        for stream in streams { #expect(await hears(stream, within: .seconds(5))) }
    }

    @Test func `a log that did not exist is watched once it does`() async throws {
        let first = try await writer()
        await first.close()
        // Nobody has the database open now, and closing has copied the log.
        unlink("\(directory.database)-wal")
        unlink("\(directory.database)-shm")
        let watcher = try ChangeWatcher(path: directory.database)
        let changes = watcher.changes()
        let second = try Writer(path: directory.database)
        try await second.write { try $0.run("INSERT INTO t VALUES (2)") }
        #expect(await hears(changes, within: .seconds(5)))
    }

    @Test func `other files in the directory are no news`() async throws {
        _ = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        let changes = watcher.changes()
        let other = open("\(directory.path)/other.log", O_CREAT | O_WRONLY, 0o600)
        defer { close(other) }
        for _ in 0..<10 { write(other, "line\n", 5) }
        #expect(!(await hears(changes, within: .milliseconds(100))))
    }

    @Test func `stopping ends the streams, earlier and later ones`() async throws {
        _ = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        let changes = watcher.changes()
        watcher.stop()
        for await _ in changes {}
        for await _ in watcher.changes() {}
    }

    @Test func `nothing is reported while nobody writes`() async throws {
        _ = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        #expect(!(await hears(watcher.changes(), within: .milliseconds(100))))
    }

    @Test func `noise in the directory does not hide a commit`() async throws {
        let writer = try await writer()
        let watcher = try ChangeWatcher(path: directory.database)
        let path = "\(directory.path)/other.log"
        let noise = Task {
            let other = open(path, O_CREAT | O_WRONLY, 0o600)
            while !Task.isCancelled {
                write(other, "line\n", 5)
                await Task.yield()
            }
            close(other)
        }
        let changes = watcher.changes()
        try await writer.write { try $0.run("INSERT INTO t VALUES (1)") }
        #expect(await hears(changes, within: .seconds(5)))
        noise.cancel()
    }
}
