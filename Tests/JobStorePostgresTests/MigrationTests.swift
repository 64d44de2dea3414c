import Jobs
import Migrations
import Postgres
import StoreRules
import Synchronization
import TestPostgres
import TestSupport
import Testing

@testable import JobStorePostgres
@testable import StoreConformance

/// A schema that rises under processes that know the one before, and what is in its way.
@Suite(.onThread) struct MigrationTests {
    private final class Notices: Sendable {
        private let kept = Mutex<[StateNotice]>([])
        var all: [StateNotice] { kept.withLock { $0 } }
        func keep(_ notice: StateNotice) {
            if notice.subject == .schema { kept.withLock { $0.append(notice) } }
        }
    }

    private func harness(
        _ notices: Notices = Notices(), _ body: (StoreHarness, PostgresDatabase) async throws -> Void
    ) async throws {
        let database = try PostgresDatabase()
        try await StoreHarness.run(on: database, StoreTerms(onNotice: { notices.keep($0) })) { harness in
            try await body(harness, database)
        }
        await database.destroy()
    }

    private func rise(_ database: PostgresDatabase, _ migrator: Migrator) async throws {
        let session = try Session(database.connectionSettings(), random: SystemRandom())
        do {
            try await migrator.run(session)
        } catch {
            await session.close()
            throw error
        }
        await session.close()
    }

    private func number(_ database: PostgresDatabase, _ query: String) throws -> Int64 {
        let call = Call(Statement("test-number", assembled: "SELECT (\(query))::bigint"))
        return try Connection.open(database.connectionSettings()).run([call])[0][0].int64(0)
    }

    @Test func `A further step keeps all that is there, and is taken once, however many take it`()
        async throws
    {
        try await harness { harness, database in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(9))
            for attempt in try await harness.claim(4) { try await harness.succeed(attempt) }
            let migrator = Migrator(steps: Later.steps(worksFrom: 1, settlesFrom: 1))
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { try await rise(database, migrator) } }
                try await group.waitForAll()
            }
            #expect(try number(database, "SELECT version FROM renga") == Int64(Schema.version + 1))
            #expect(try number(database, "SELECT count(*) FROM note") == 10)
            #expect(try number(database, "SELECT count(*) FROM note WHERE body = 'succeeded'") == 5)
            try restore(database)
        }
    }

    /// For the audit, which knows this program's schema only.
    private func restore(_ database: PostgresDatabase) throws {
        try Connection.open(database.connectionSettings()).execute(
            script: """
                DROP TABLE note;
                ALTER TABLE job DROP COLUMN note;
                UPDATE renga SET version = \(Schema.version);
                """)
    }

    @Test func `Where the new schema says that older processes may work, they go on as before`() async throws
    {
        let notices = Notices()
        try await harness(notices) { harness, database in
            try await harness.warmUp()
            try await rise(database, Migrator(steps: Later.steps(worksFrom: Schema.version)))
            try await harness.enqueue("after it")
            try await harness.succeed(try await harness.claimOne())
            #expect(try await harness.store.checkReady().schemaVersion == Schema.version + 1)
            // And one may start.
            await (try harness.openAnother()).close()
            #expect(notices.all.isEmpty)
            try restore(database)
        }
    }

    @Test func `Else they claim nothing, say so once, and settle what is in flight`() async throws {
        let notices = Notices()
        try await harness(notices) { harness, database in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(6))
            let attempts = try await harness.claim(3)
            #expect(attempts.count == 3)
            try await rise(database, Migrator(steps: Later.steps()))

            for _ in 0..<5 { #expect(try await harness.claim(3).isEmpty) }
            let refused = await #expect(throws: JobStoreError.self) { try await harness.enqueue("too late") }
            #expect(refused?.code == .schemaTooNew)
            let unready = await #expect(throws: JobStoreError.self) {
                _ = try await harness.store.checkReady()
            }
            #expect(unready?.message.contains("replace this process") == true)
            _ = try await harness.store.reap()
            #expect(
                try await harness.store.renew(harness.worker, attempts: attempts.map(\.key), lease: 30_000)
                    .isEmpty)
            for attempt in attempts { #expect(try await harness.succeed(attempt) == .settled(.succeeded)) }
            #expect(notices.all.count == 1 && notices.all.first?.isEnd == false, "\(notices.all)")
            let start = await #expect(throws: JobStoreError.self) { _ = try await harness.openAnother() }
            #expect(start?.code == .schemaTooNew)

            try restore(database)
            _ = try await harness.store.renew(harness.worker, attempts: [], lease: 30_000)
            #expect(try await harness.claim(3).count == 3)
            #expect(notices.all.count == 2 && notices.all.last?.isEnd == true)
        }
    }

    @Test func `Where the new schema says that they cannot even settle, they write nothing`() async throws {
        try await harness { harness, database in
            try await harness.warmUp()
            try await harness.enqueue("in flight")
            let attempt = try await harness.claimOne()
            try await rise(database, Migrator(steps: Later.steps(settlesFrom: Schema.version + 1)))
            let settling = await #expect(throws: JobStoreError.self) { try await harness.succeed(attempt) }
            #expect(settling?.code == .schemaTooNew)
            #expect(try await harness.claim(1).isEmpty)
            try restore(database)
            #expect(try await harness.succeed(attempt) == .settled(.succeeded))
        }
    }

    @Test func `A step stands in nobody's way for long, and says who is in its own`() async throws {
        try await harness { harness, database in
            try await harness.warmUp()
            var settings = try database.connectionSettings()
            settings.serverSettings = ["application_name": "a forgotten shell"]
            let shell = try Connection.open(settings)
            let begin = ["BEGIN", "SELECT count(*) FROM job"].map {
                Call(Statement("test-shell", assembled: $0))
            }
            _ = shell.run(batches: [Batch(begin)])
            let lines = Mutex<[String]>([])
            var migrator = Migrator(
                steps: Later.steps(worksFrom: 1, settlesFrom: 1), lockMilliseconds: 150,
                patience: .seconds(3))
            migrator.onDelay = { line in lines.withLock { $0.append(line) } }
            let rising = Task { [migrator] in try await rise(database, migrator) }
            // The fleet works meanwhile.
            var (enqueued, isOver) = (0, false)
            let watching = Task { _ = try? await rising.value }
            let end = ContinuousClock.now + .seconds(2)
            while ContinuousClock.now < end {
                try await harness.enqueue("meanwhile \(enqueued)")
                enqueued += 1
            }
            await watching.value
            isOver = true
            let error = await #expect(throws: JobStoreError.self) { try await rising.value }
            #expect(isOver && enqueued > 3 && error?.code == .locked)
            for text in [error?.message, lines.withLock { $0.first }] {
                #expect(
                    text?.contains("process \(shell.serverProcess) (a forgotten shell") == true,
                    "\(text ?? "")")
            }
            #expect(try number(database, "SELECT version FROM renga") == Int64(Schema.version))
            _ = shell.run(batches: [Batch([Call(Statement("test-shell", assembled: "ROLLBACK"))])])
            try await rise(database, migrator)
            #expect(try number(database, "SELECT version FROM renga") == Int64(Schema.version + 1))
            try restore(database)
        }
    }
}
