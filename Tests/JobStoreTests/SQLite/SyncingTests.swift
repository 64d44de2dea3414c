import FaultyDisk
import Foundation
import Jobs
import SQLite
import TestSupport
import Testing

@testable import StoreConformance

/// When the writer syncs its log, and what a power cut leaves where it has not.
@Suite(.onThread) struct SyncingTests {
    private let directory: TemporaryDirectory
    private let disk: Disk

    init() throws {
        directory = try TemporaryDirectory()
        disk = Disk(folder: directory.path)
    }

    private func writer() async throws -> Writer {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        return writer
    }

    private func insert(
        _ value: Int, syncing: Syncing<Int> = .always, by writer: Writer
    ) async throws {
        try await writer.write(syncing: syncing) { connection in
            _ = try connection.run("INSERT INTO t (v) VALUES (?1)", [.integer(value)])
            return value
        }
    }

    private static let mayWait = Syncing<Int>.when { _ in false }

    /// The values that are found after a power cut at this moment.
    private func surviving() throws -> [Int] {
        var log = SectorLog()
        for event in disk.events { log.apply(event) }
        var random = SystemRandom()
        let after = try TemporaryDirectory()
        for (name, bytes) in log.image(.dropped, using: &random) {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(after.path)/\(name)"))
        }
        return try Connection(path: after.database).query("SELECT v FROM t ORDER BY v") { $0.int(0) }
    }

    @Test func `what may wait is seen at once, and lost with the power, until something else is synced`()
        async throws
    {
        defer { disk.unplug() }
        let writer = try await writer()
        try await insert(1, by: writer)
        try await insert(2, syncing: Self.mayWait, by: writer)
        // A machine that stands still until the writer syncs by itself proves nothing.
        let survivors = try surviving()
        #expect(survivors == [1] || survivors == [1, 2])
        let other = try Connection(path: directory.database, mode: .read)
        #expect(try other.query("SELECT v FROM t ORDER BY v") { $0.int(0) } == [1, 2])
        try await insert(3, by: writer)
        #expect(try surviving() == [1, 2, 3])
        await writer.close()
    }

    @Test func `an outcome that may not wait is synced before it is told`() async throws {
        defer { disk.unplug() }
        let writer = try await writer()
        try await insert(1, syncing: .when { $0 == 1 }, by: writer)
        #expect(try surviving() == [1])
        await writer.close()
    }

    @Test func `where nothing else comes, what waits is synced by itself, and when the writer closes`()
        async throws
    {
        defer { disk.unplug() }
        let writer = try await writer()
        try await insert(1, syncing: Self.mayWait, by: writer)
        for _ in 0..<500 where try surviving() != [1] { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try surviving() == [1])
        try await insert(2, syncing: Self.mayWait, by: writer)
        await writer.close()
        #expect(try surviving() == [1, 2])
    }

    @Test func `calls that come without a pause do not put the sync off`() async throws {
        defer { disk.unplug() }
        let writer = try await writer()
        try await insert(0, syncing: Self.mayWait, by: writer)
        let end = ContinuousClock.now + .seconds(10)
        var value = 1
        while try !surviving().contains(0), ContinuousClock.now < end {
            try await insert(value, syncing: Self.mayWait, by: writer)
            value += 1
        }
        #expect(try surviving().contains(0))
        await writer.close()
    }

    @Test func `another process's sync makes what waits last`() async throws {
        defer { disk.unplug() }
        let (writer, other) = (try await writer(), try Writer(path: directory.database))
        try await insert(1, syncing: Self.mayWait, by: writer)
        try await insert(2, by: other)
        #expect(try surviving() == [1, 2])
        await other.close()
        await writer.close()
    }

    /// A failed sync drops what it held, as Linux does: the next one succeeds, and would leave a hole in the log.
    @Test(arguments: [false, true])
    func `after a sync that fails, what waited for it is written anew before anything is promised`(
        byItself: Bool
    ) async throws {
        defer { disk.unplug() }
        let writer = try await writer()
        // SQLITE_IOERR_FSYNC
        disk.set(Disk.Fault(codes: [.sync: 10 | 4 << 8], first: 1, count: 1))
        try await insert(1, syncing: Self.mayWait, by: writer)
        if byItself {
            for _ in 0..<500 where disk.failures == 0 { try await Task.sleep(for: .milliseconds(10)) }
        } else {
            // Refused, unless the writer's own sync came before it and failed.
            _ = try? await insert(2, by: writer)
        }
        #expect(disk.failures == 1)
        disk.set(nil)
        try await insert(3, by: writer)
        let other = try Connection(path: directory.database, mode: .read)
        #expect(try surviving() == other.query("SELECT v FROM t ORDER BY v") { $0.int(0) })
        await writer.close()
    }
}
