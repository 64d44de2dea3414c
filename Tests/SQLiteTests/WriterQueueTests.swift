import Foundation
import Glibc
import SQLite
import Synchronization
import Testing

/// The file beside a database in which writers take turns, as this test's own process among them.
private final class Turnstile {
    private static let setAndWait: Int32 = 38  // F_OFD_SETLKW

    private let descriptor: Int32

    init(of database: String) throws {
        descriptor = open(database + "-writers", O_RDWR | O_CREAT, 0o644)
        try #require(descriptor >= 0)
    }

    deinit { close(descriptor) }

    /// Takes the turn as soon as nobody has it.
    func hold() throws { try #require(change(Int16(F_WRLCK))) }
    func give() throws { try #require(change(Int16(F_UNLCK))) }

    /// How many wait at the door or for the turn, as the kernel says.
    func waiting() throws -> Int {
        var facts = stat()
        fstat(descriptor, &facts)
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n")
            .filter { $0.contains(":\(facts.st_ino) ") && $0.contains(" -> ") }.count
    }

    private func change(_ type: Int16) -> Bool {
        var lock = flock(l_type: type, l_whence: Int16(SEEK_SET), l_start: 1, l_len: 1, l_pid: 0)
        return fcntl(descriptor, Self.setAndWait, &lock) == 0
    }
}

@Suite struct WriterQueueTests {
    let directory = TemporaryDirectory()

    @Test func `writers write in the order in which they came`() async throws {
        let writers = try (0..<6).map { _ in try Writer(path: directory.database) }
        try await writers[0].write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        // What they do when they start has its turn, too.
        for writer in writers { try await writer.write { _ in } }
        let turnstile = try Turnstile(of: directory.database)
        try turnstile.hold()
        for (number, writer) in writers.enumerated() {
            writer.submit(
                { try $0.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)]) }, completion: { _ in })
            while try turnstile.waiting() <= number { try await Task.sleep(for: .milliseconds(1)) }
        }
        try turnstile.give()
        for writer in writers { await writer.close() }
        let order = try Connection(path: directory.database).query("SELECT v FROM t ORDER BY rowid") {
            $0.int(0)
        }
        #expect(order == Array(0..<6))
    }

    @Test func `two busy writers take turns`() async throws {
        let writers = try (0..<2).map { _ in try Writer(path: directory.database) }
        try await writers[0].write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        for _ in 0..<10_000 {
            for (number, writer) in writers.enumerated() {
                writer.submit(
                    { try $0.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)]) }, completion: { _ in })
            }
        }
        for writer in writers { await writer.close() }
        let order = try Connection(path: directory.database).query("SELECT v FROM t ORDER BY rowid") {
            $0.int(0)
        }
        let changes = zip(order, order.dropFirst()).count { $0 != $1 }
        #expect(order.count == 20_000)
        #expect(changes >= writers.map(\.statistics.transactions).min() ?? 0)
    }

    @Test func `a turn that does not come is not waited for twice`() async throws {
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        let turnstile = try Turnstile(of: directory.database)
        try turnstile.hold()
        for number in 0..<20 {
            try await writer.write { try $0.run("INSERT INTO t (v) VALUES (?1)", [.integer(number)]) }
        }
        let waited = writer.statistics.longestLockWaitSeconds
        #expect(waited > 1.9 && waited < 10)
        await writer.close()
    }

    @Test func `a writer that dies leaves its turn to the next`() async throws {
        let writer = try Writer(path: directory.database)
        do {
            let turnstile = try Turnstile(of: directory.database)
            try turnstile.hold()
        }
        try await writer.write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        #expect(writer.statistics.longestLockWaitSeconds < 1)
        await writer.close()
    }

    @Test func `writers do without the file where it cannot be had`() async throws {
        try FileManager.default.createDirectory(
            atPath: directory.database + "-writers", withIntermediateDirectories: true)
        let writer = try Writer(path: directory.database)
        try await writer.write { try $0.execute("CREATE TABLE t (v INTEGER) STRICT") }
        await writer.close()
    }
}
