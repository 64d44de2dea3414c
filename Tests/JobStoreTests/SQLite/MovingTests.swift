import JobStoreCopy
import Jobs
import Migrations
import Postgres
import SQLite
import TestSupport
import Testing

@testable import StoreConformance

/// A database after whatever happened, moved to PostgreSQL and back.
@Suite(.onThread) struct MovingTests {
    @Test(arguments: [6, 15] as [UInt64])
    func `whatever happened before, a move loses and changes nothing`(seed: UInt64) async throws {
        let (before, after) = (
            SQLiteDatabase(try TemporaryDirectory()), SQLiteDatabase(try TemporaryDirectory())
        )
        let between = try PostgresDatabase()
        let (now, isPruned) = try await live(in: before, seed: seed)
        let scale = MomentScale(
            database: now.timestamp.milliseconds, boot: now.moment.epoch, moment: now.moment.milliseconds)
        let session = try Session(between.connectionSettings(), random: SystemRandom())
        let there = try await DatabaseCopy.copy(fromFile: before.directory.database, to: session, scale)
        #expect(try await between.violations(isPruned: isPruned) == [])
        #expect(try await between.jobs().map(\.id) == before.jobs().map(\.id))
        let back = try await DatabaseCopy.copy(from: session, toFile: after.directory.database, scale)
        await session.close()
        #expect(there == back)
        #expect(try after.violations(isPruned: isPruned) == [])
        try await goOn(in: between, now, isPruned: isPruned)
        await between.destroy()
        try await goOn(in: after, now, isPruned: isPruned)
        #expect(there.filter { $0.rows == 0 }.map(\.table).count < 12, "\(there.map { ($0.table, $0.rows) })")
    }

    private static let standings: [(state: MoveMark.State?, words: String)] = [
        (nil, "not whole"), (.arriving, "To go on: renga move --from A --to B"),
        (.leaving, "on their way to B"), (.left, "set RENGA_DATABASE=B"),
    ]

    @Test(arguments: standings)
    func `no store works in a database that takes part in a move, and it says why`(
        _ state: MoveMark.State?, _ words: String
    ) async throws {
        let mark = state.map {
            "INSERT INTO move_mark VALUES ('\($0.rawValue)', 7, 'A', 'B', 1790000000000, 0, 0)"
        }
        let file = SQLiteDatabase(try TemporaryDirectory())
        let running = try await file.open(StoreTerms(), clock: HandClock())
        let connection = try SQLite.Connection(path: file.directory.database)
        if let mark { try connection.execute("\(MoveMark.fileTable); \(mark)") }
        try connection.execute("PRAGMA user_version = -1")
        let server = try PostgresDatabase()
        let other = try await server.open(StoreTerms(), clock: HandClock())
        let session = try Session(server.connectionSettings(), random: SystemRandom())
        let script =
            (mark.map { "\(MoveMark.serverTable); \($0); " } ?? "") + "UPDATE renga SET version = -version"
        try await session.run { connection in try connection.execute(script: script) }
        await session.close()
        for (database, store) in [(file, running), (server, other)] as [(any TestDatabase, any WholeStore)] {
            for attempt in [
                { _ = try await database.open(StoreTerms(), clock: HandClock()) },
                { _ = try await store.checkReady() },
            ] as [() async throws -> Void] {
                let error = await #expect(throws: JobStoreError.self) { try await attempt() }
                #expect(error?.code == .unsuitable && error?.message.contains(words) == true, "\(error)")
            }
            await store.close()
        }
        await server.destroy()
    }

    /// New jobs find a place beside those that came.
    private func goOn(in database: any TestDatabase, _ now: Now, isPruned: Bool) async throws {
        let before = try await database.jobs().map(\.id)
        try await StoreHarness.run(on: database) { harness in
            harness.isPruned = isPruned
            harness.clock.time = now
            let new = try await harness.enqueue("one more", "and another")
            #expect(try await database.jobs().map(\.id) == before + new)
        }
    }

    /// Some hundred steps of two processes, in the middle of which it ends.
    private func live(in database: SQLiteDatabase, seed: UInt64) async throws -> (now: Now, isPruned: Bool) {
        let randomness = SharedRandom(seed: seed)
        var found: (Now, Bool)?
        try await StoreHarness.run(on: database, StoreTerms(randomness: { randomness })) { harness in
            let second = try await harness.openAnother()
            let schedule = try await Schedule(harness, second, seed: seed)
            for _ in 1...400 { try await schedule.step() }
            await second.close()
            found = (harness.now, harness.isPruned)
        }
        return try #require(found)
    }
}
