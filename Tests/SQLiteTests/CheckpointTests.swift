import Dispatch
import Glibc
@testable import SQLite
import Synchronization
import TestSupport
import Testing

@Suite(.onThread) struct CheckpointTests {
    let directory = TemporaryDirectory()

    private func writer(
        pagesBetweenCheckpoints: Int = 50, longLog: LongLog = LongLog(), hooks: WriterHooks = WriterHooks()
    ) async throws -> Writer {
        let path = directory.database
        let writer = try Writer(
            path: path, hooks: hooks, pagesBetweenCheckpoints: pagesBetweenCheckpoints, longLog: longLog)
        try await writer.write { try $0.execute("CREATE TABLE IF NOT EXISTS t (b BLOB) STRICT") }
        return writer
    }

    private func fill(_ writer: Writer, rows: Int) async throws {
        for _ in 0..<rows { try await writer.write { try $0.run("INSERT INTO t VALUES (zeroblob(10000))") } }
    }

    @Test func `the log starts afresh instead of growing with what is written`() async throws {
        let writer = try await writer()
        try await fill(writer, rows: 300)
        #expect(writer.statistics.checkpoints > 10)
        #expect(writer.statistics.logPages < 100)
        #expect(directory.size(of: "test.db-wal") < 150 * 4_200)
        #expect(directory.size(of: "test.db") > 2_500_000)
        await writer.close()
        #expect(try Connection(path: directory.database).integrity() == "ok")
    }

    @Test func `a reader delays the fresh start but not the writer`() async throws {
        let writer = try await writer()
        try await fill(writer, rows: 1)
        let readers = try Readers(path: directory.database, count: 1)
        let release = DispatchSemaphore(value: 0)
        let (looked, look) = AsyncStream<Void>.makeStream()
        async let before = readers.read { connection in
            let rows = try connection.count("t")
            look.finish()
            release.wait()
            return [rows, try connection.count("t")]
        }
        for await _ in looked {}
        try await fill(writer, rows: 100)
        #expect(writer.statistics.logPages > 200)
        let attempts = writer.statistics.checkpoints + writer.statistics.checkpointsIncomplete
        #expect(attempts < 20, "a log that cannot start afresh is not copied after each commit")
        release.signal()
        #expect(try await before == [1, 1])
        try await fill(writer, rows: 60)
        #expect(writer.statistics.logPages < 200)
    }

    @Test func `slow readers without a gap between them do not let the log grow for ever`() async throws {
        let writer = try await writer(longLog: LongLog(pages: 400))
        let readers = try Readers(path: directory.database, count: 2)
        let slow = (0..<2).map { _ in
            Task {
                while !Task.isCancelled {
                    try await readers.read { connection in
                        let rows = try connection.count("t")
                        usleep(100_000)
                        #expect(try connection.count("t") == rows)
                    }
                }
            }
        }
        var longest = 0
        for _ in 0..<20 {
            try await fill(writer, rows: 50)
            longest = max(longest, writer.statistics.logPages)
        }
        for task in slow {
            task.cancel()
            try await task.value
        }
        #expect(longest < 1_000, "the log grew to \(longest) pages")
        #expect(try Connection(path: directory.database).integrity() == "ok")
    }

    @Test func `a reader that does not end keeps writers waiting once in a while, and not for long`()
        async throws
    {
        let writer = try await writer(longLog: LongLog(pages: 100, patienceSeconds: 0.3))
        try await fill(writer, rows: 1)
        let rival = try Connection(path: directory.database, mode: .read)
        try rival.run("BEGIN")
        #expect(try rival.count("t") == 1)
        // Past 100, 150, 225, 338, 507, 761 and 1,142 pages.
        let pauses = try await pauses(of: writer, rows: 450)
        try rival.run("ROLLBACK")
        #expect(writer.statistics.logPages > 1_300)
        let waits = pauses.count { $0 >= 0.3 }
        #expect((7..<20).contains(waits), "seven waits were due, and after each 50 pages they were 27")
        // Seven times 0.3 s were due; the rest is a busy machine's.
        #expect((0.3..<10).contains(writer.statistics.longestCheckpointSeconds))
    }

    /// How long the writer's thread was kept from each next write, by its own clock.
    private func pauses(of writer: Writer, rows: Int) async throws -> [Double] {
        let pauses = Mutex<[Double]>([])
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            @Sendable func write(_ rows: Int, after end: Double) {
                writer.submit { connection in
                    pauses.withLock { $0.append(monotonicSeconds() - end) }
                    try connection.run("INSERT INTO t VALUES (zeroblob(10000))")
                } completion: { result in
                    if case .success = result, rows > 1 { return write(rows - 1, after: monotonicSeconds()) }
                    done.resume(with: result)
                }
            }
            write(rows, after: monotonicSeconds())
        }
        return pauses.withLock { $0 }
    }

    @Test func `a reader that does not end is told of as it happens, with its age`() async throws {
        let told = Mutex<[LongReader]>([])
        let writer = try await writer(
            longLog: LongLog(pages: 100, patienceSeconds: 0.2),
            hooks: WriterHooks(readerStays: { reader in told.withLock { $0.append(reader) } }))
        try await fill(writer, rows: 2)
        let rival = try Connection(path: directory.database, mode: .read)
        try rival.run("BEGIN")
        #expect(try rival.count("t") == 2)
        try await fill(writer, rows: 200)
        try rival.run("ROLLBACK")
        let readers = told.withLock { $0 }
        #expect(readers.count == 1, "one word a minute")
        #expect((0.15..<60).contains(readers.first?.seconds ?? 0))
        #expect(readers.first?.logPages ?? 0 >= 100)
        // This process's own readers are not named by number.
        #expect(readers.first?.processes == [])
        await writer.close()
    }

    @Test func `who reads is found among the kernel's locks`() {
        let line = "12: POSIX  ADVISORY  READ 4242 08:01:131 124 124\n"
        #expect(ReaderWatch.reader(line, inode: 131) == 4242)
        #expect(ReaderWatch.reader(line, inode: 132) == nil)
        for other in [
            "12: POSIX  ADVISORY  WRITE 4242 08:01:131 124 124",
            "12: POSIX  ADVISORY  READ 4242 08:01:131 128 128",
            "12: -> POSIX  ADVISORY  READ 1 08:01:131 124 124",
            "12: FLOCK  ADVISORY  READ 4242 08:01:131 0 EOF", "",
        ] { #expect(ReaderWatch.reader(other, inode: 131) == nil) }
    }

    @Test func `a checkpoint gives way to another writer at once`() async throws {
        let writer = try await writer(pagesBetweenCheckpoints: 1_000_000)
        try await fill(writer, rows: 20)
        let rival = try Connection(path: directory.database)
        try rival.run("BEGIN IMMEDIATE")
        let start = monotonicSeconds()
        // Closing checkpoints too.
        await writer.close()
        #expect(monotonicSeconds() - start < 5)
        #expect(writer.statistics.checkpoints == 0)
        try rival.run("ROLLBACK")
    }

    @Test func `the last writer to close leaves a log that is copied`() async throws {
        let writer = try await writer(pagesBetweenCheckpoints: 1_000_000)
        try await fill(writer, rows: 20)
        await writer.close()
        #expect(writer.statistics.checkpoints == 1)
        #expect(directory.size(of: "test.db") > 200_000)
    }

    @Test func `nothing is lost while several writers checkpoint as often as they can`() async throws {
        let path = directory.database
        try Connection(path: path).execute("CREATE TABLE s (writer INTEGER, n INTEGER, pad BLOB) STRICT")
        let each = 150
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    let writer = try Writer(path: path, pagesBetweenCheckpoints: 5)
                    for n in 0..<each {
                        try await writer.write { connection in
                            try connection.run(
                                "INSERT INTO s VALUES (?1, ?2, zeroblob(3000))",
                                [.integer(number), .integer(n)])
                        }
                    }
                    await writer.close()
                }
            }
            try await group.waitForAll()
        }
        let connection = try Connection(path: path)
        let sums = try connection.query("SELECT count(*), count(DISTINCT n) FROM s GROUP BY writer") {
            [$0.int(0), $0.int(1)]
        }
        #expect(sums == Array(repeating: [each, each], count: 4))
        #expect(try connection.integrity() == "ok")
    }
}
