import Jobs
import Postgres
import StoreRules
import TestPostgres
import TestSupport
import Testing

@testable import JobStorePostgres
@testable import StoreConformance

/// Lists, results and statistics from a streaming replica.
@Suite(.onThread, .serialized) struct ReplicaTests {
    /// A server, a replica that streams from it, and a store over both, on a clock that starts at the machine's time.
    private final class Pair {
        let primary: TestPostgres
        let replica: TestPostgres
        let database: String
        let clock = HandClock(MachineClock().now())
        let store: PostgresJobStore
        let worker: WorkerID

        init(standby: ((Pair.Servers) throws -> String)? = nil) async throws {
            primary = try TestPostgres()
            database = try primary.makeDatabase()
            replica = try TestPostgres(replicaOf: primary)
            let servers = Servers(primary: primary, replica: replica, database: database)
            let url = try standby?(servers) ?? replica.url(database: database)
            store = try await PostgresJobStore(
                ConnectionSettings(url: primary.url(database: database), from: .environment),
                time: .given(clock), standby: ConnectionSettings(url: url, from: .environment))
            try await store.configure(
                route: Sample.route,
                limits: RouteLimits(requests: 1_000_000, inputTokens: 100_000_000, outputTokens: 100_000_000))
            worker = try await store.register(NewWorker(name: "w", host: "h", processID: 1, slots: 50))
        }

        struct Servers {
            let primary: TestPostgres
            let replica: TestPostgres
            let database: String
        }

        func ask(_ server: TestPostgres, _ statement: String) throws {
            let settings = try ConnectionSettings(url: server.url(database: database), from: .environment)
            var standby = settings
            standby.acceptsStandby = true
            try Connection.open(standby).execute(script: statement)
        }

        @discardableResult
        func enqueue(_ count: Int, _ prefix: String) async throws -> Int {
            try await store.enqueue(try Sample.jobs(count, prefix: prefix), atomically: false).count
        }

        func work(_ count: Int) async throws {
            var done = 0
            while done < count {
                let claim = try await store.claim(
                    ClaimRequest(
                        worker: worker, slots: count - done, running: 0, lease: 30_000,
                        services: [Sample.service]))
                for attempt in claim.attempts {
                    _ = try await store.settle(Sample.success(attempt.key, "\(attempt.key.job)"))
                }
                done += claim.attempts.count
            }
        }

        func listed() async throws -> Dated<Int> {
            try await store.lists {
                try await $0.jobs(JobFilter(), before: nil, limit: 100, bodies: []).count
            }
        }

        func results() async throws -> Dated<Int> {
            try await store.lists {
                try await $0.results(ResultsQuery(source: .all), after: -1, limit: 100).count
            }
        }

        func counts() async throws -> Dated<StateCounts> {
            try await store.lists { try await $0.stats().counts }
        }

        /// Until the replica answers, and as is wanted.
        func eventually<T>(_ read: () async throws -> Dated<T>, _ isSo: (T) -> Bool) async throws -> Dated<T>
        {
            for _ in 0..<1_000 {
                let found = try await read()
                if found.asOf != nil, isSo(found.value) { return found }
                try await Task.sleep(for: .milliseconds(10))
            }
            throw Slow()
        }
    }

    private struct Slow: Error {}

    @Test func `A replica answers lists, results and statistics, and says as of when`() async throws {
        let pair = try await Pair()
        try await pair.enqueue(12, "first")
        try await pair.work(5)
        let before = MachineClock().now().timestamp
        let listed = try await pair.eventually(pair.listed) { $0 == 12 }
        let asOf = try #require(listed.asOf)
        #expect(abs(asOf.milliseconds - before.milliseconds) < 600_000)
        let counts = try await pair.eventually(pair.counts) { $0.succeeded == 5 }
        #expect(counts.value.queued == 7)
        let shares = try await pair.store.lists { try await $0.spend(by: .model, days: 3) }
        #expect(shares.value.first?.calls == 5)
        #expect(try await pair.store.checkReady().replica?.state == .used)
        // What is asked for by its name is the database's.
        #expect(JobFilter(customID: "k").wantsLatest && JobFilter(state: .review).wantsLatest)
        await pair.store.close()
    }

    @Test func `Results are whole at once, whether the replica has them or not`() async throws {
        let pair = try await Pair()
        for round in 1...5 {
            try await pair.enqueue(4, "round \(round)")
            try await pair.work(4)
            #expect(try await pair.results().value == 4 * round)
        }
        try pair.ask(pair.replica, "SELECT pg_wal_replay_pause()")
        try await pair.enqueue(3, "paused")
        try await pair.work(3)
        let behind = try await pair.results()
        #expect(behind.value == 23 && behind.asOf == nil)
        #expect(pair.store.replica?.facts.state == .behind)
        await pair.store.close()
    }

    @Test func `One that is too far behind, or away, is passed over, and taken back`() async throws {
        let pair = try await Pair()
        try await pair.enqueue(3, "first")
        _ = try await pair.eventually(pair.listed) { $0 == 3 }
        try pair.ask(pair.replica, "SELECT pg_wal_replay_pause()")
        try await pair.enqueue(2, "second")
        // Moments behind it will do, with its own time.
        let recent = try await pair.listed()
        #expect(recent.asOf == nil ? recent.value == 5 : recent.value == 3)
        pair.clock.advance(3_600_000)
        let late = try await pair.listed()
        #expect(late.value == 5 && late.asOf == nil)
        let behind = try await pair.store.checkReady().replica
        #expect(
            behind?.state == .behind && behind?.detail.contains("is behind by 3") == true,
            "\(String(describing: behind))")
        try pair.ask(pair.replica, "SELECT pg_wal_replay_resume()")
        // Its last transaction is an hour old by that clock, but it lacks none.
        _ = try await pair.eventually(pair.listed) { $0 == 5 }

        try pair.replica.crash()
        for _ in 0..<2 {
            let away = try await pair.listed()
            #expect(away.value == 5 && away.asOf == nil)
        }
        let facts = try await pair.store.checkReady()
        #expect(facts.replica?.state == .away)
        try pair.replica.restart()
        _ = try await pair.eventually(pair.listed) { $0 == 5 }
        await pair.store.close()
    }

    @Test func `What is no replica of the database is not asked`() async throws {
        let same = try await Pair { $0.primary.url(database: $0.database) }
        try await same.enqueue(1, "one")
        let listed = try await same.listed()
        #expect(listed.value == 1 && listed.asOf == nil)
        #expect(same.store.replica?.facts.detail.contains("is no standby") == true)
        await same.store.close()

        let stranger = try TestPostgres(inRecovery: true)
        let other = try await Pair { _ in stranger.url() }
        try await other.enqueue(1, "one")
        let strange = try await other.listed()
        #expect(strange.value == 1 && strange.asOf == nil)
        #expect(other.store.replica?.facts.detail.contains("of another cluster") == true)
        await other.store.close()
    }

    @Test func `A transaction that is still open is in the way of later results there too`() async throws {
        let pair = try await Pair()
        try await pair.enqueue(2, "first")
        try await pair.work(1)
        try pair.ask(pair.primary, "CREATE TABLE scratch (id bigint)")
        let writer = try Connection.open(
            ConnectionSettings(url: pair.primary.url(database: pair.database), from: .environment))
        let open = ["BEGIN", "INSERT INTO scratch VALUES (1)"].map {
            Call(Statement("test-writer", assembled: $0))
        }
        _ = writer.run(batches: [Batch(open)])
        try await pair.work(1)
        let early = try await pair.eventually(pair.results) { _ in true }
        #expect(early.value == 1)
        _ = writer.run(batches: [Batch([Call(Statement("test-writer", assembled: "COMMIT"))])])
        _ = try await pair.eventually(pair.results) { $0 == 2 }
        await pair.store.close()
    }
}
