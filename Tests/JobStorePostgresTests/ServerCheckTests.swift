import Jobs
import Postgres
import RawServer
import StoreRules
import TestPostgres
import TestSupport
import Testing

@testable import JobStorePostgres
@testable import StoreConformance

/// Servers on which renga could lose or repeat jobs, or that let it do too little: each is refused with what to do.
@Suite(.onThread) struct ServerCheckTests {
    private func open(_ url: String) async throws {
        let settings = try ConnectionSettings(url: url, from: .environment)
        await (try PostgresJobStore(settings)).close()
    }

    private func refusal(_ url: String) async -> String {
        do {
            try await open(url)
            return ""
        } catch {
            return (error as? JobStoreError)?.message ?? "\(error)"
        }
    }

    // MARK: A real pooler

    @Test(
        .enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed: apt-get install -y pgbouncer"),
        arguments: [true, false])
    func `A pooler in transaction mode is refused, with the way round it`(isAlone: Bool) async throws {
        let server = try TestPostgres.shared()
        let bouncer = try PgBouncer(before: server, .transaction)
        let url = try server.tcpURL(database: server.makeDatabase(), port: bouncer.port)
        // Others that are connected have left what they prepared there.
        let others = try (0..<(isAlone ? 0 : 3)).map { _ in
            try Connection.open(ConnectionSettings(url: url, from: .environment))
        }
        for _ in 0..<3 {
            let refusal = await refusal(url)
            #expect(refusal.contains("pooler in transaction mode") && refusal.contains("session mode"))
        }
        #expect(others.allSatisfy { $0.isUsable })
        let options = await refusal(url + "&options=-cjit%3Doff")
        #expect(options.contains("leave it out and connect to the server itself"), "\(options)")
    }

    @Test(.enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed: apt-get install -y pgbouncer"))
    func `A pooler in session mode does`() async throws {
        let server = try TestPostgres.shared()
        let bouncer = try PgBouncer(before: server, .session)
        let url = try server.tcpURL(database: server.makeDatabase(), port: bouncer.port)
        let settings = try ConnectionSettings(url: url, from: .environment)
        let store = try await PostgresJobStore(settings)
        _ = try await store.enqueue([try Sample.job("hello")], atomically: false)
        #expect(try await store.stats().counts.queued == 1)
        await store.close()
        let check = try ServerCheck(first: Connection.open(settings), second: Connection.open(settings))
        try check.run()
        #expect(try check.hears())
    }

    // MARK: Other servers, whose words are put in place of a real one's

    /// Each text has as many bytes as the one in its place.
    private func relayed(
        _ side: Peer.Side, _ old: String, _ new: String, _ database: String
    ) throws -> (server: ScriptedServer, url: String) {
        let real = try TestPostgres.shared()
        let server = ScriptedServer { peer in
            peer.relay(to: real.port) { from, bytes in
                from == side ? bytes.replacing(Array(old.utf8), with: Array(new.utf8)) : bytes
            }
        }
        return (server, real.tcpURL(database: database, port: server.port))
    }

    @Test(arguments: [
        ("CockroachDB", "CockroachDB"), ("YugabyteDB ", "YugabyteDB"), ("PG 15.2-YB-", "YugabyteDB"),
    ])
    func `Others that speak as PostgreSQL does are refused`(words: String, name: String) async throws {
        let relay = try relayed(.server, "PostgreSQL ", words, TestPostgres.shared().makeDatabase())
        let refusal = await refusal(relay.url)
        #expect(refusal.contains("the server is \(name)") && refusal.contains("use PostgreSQL"), "\(refusal)")
    }

    @Test func `A server whose advisory locks do nothing is refused`() async throws {
        let relay = try relayed(
            .client, "pg_try_advisory_xact_lock(7465", "pg_try_advisory_xact_lock(7466",
            TestPostgres.shared().makeDatabase())
        #expect(await refusal(relay.url).contains("advisory locks do nothing"))
    }

    @Test func `A server that knows no LISTEN is refused`() async throws {
        let relay = try relayed(
            .client, "LISTEN renga_check", "LISTEM renga_check", TestPostgres.shared().makeDatabase())
        #expect(await refusal(relay.url).contains("refuses LISTEN"))
    }

    @Test func `A server before 13 is refused`() async throws {
        let relay = try relayed(
            .server, "server_version\u{0}15.", "server_version\u{0}12.", TestPostgres.shared().makeDatabase())
        #expect(await refusal(relay.url).contains("needs 13 or newer"))
    }

    // MARK: Rights and defaults

    private func script(_ server: TestPostgres, _ database: String, _ script: String) throws {
        let settings = try ConnectionSettings(url: server.url(database: database), from: .environment)
        try Connection.open(settings).execute(script: script)
    }

    private func url(_ server: TestPostgres, _ role: String, _ database: String) -> String {
        server.tcpURL(database: database).replacing("postgres@", with: "\(role)@")
    }

    @Test
    func `A role that may not make the tables is told so, and one that may only use them needs no more`()
        async throws
    {
        let server = try TestPostgres.shared()
        let database = try server.makeDatabase()
        try script(server, database, "CREATE ROLE modest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        let empty = await refusal(url(server, "modest", database))
        #expect(empty.contains(#"GRANT CREATE ON SCHEMA "public" TO "modest""#), "\(empty)")
        #expect(empty.contains("renga migrate"))
        try await open(server.url(database: database))
        let closed = await refusal(url(server, "modest", database))
        #expect(closed.contains("answer, ") && closed.contains("GRANT SELECT, INSERT"), "\(closed)")
        try script(
            server, database,
            """
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO modest;
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO modest;
            """)
        let settings = try ConnectionSettings(url: url(server, "modest", database), from: .environment)
        try await work(try await PostgresJobStore(settings))
        // A newer renga brings a step that only the owner may take.
        let error = await #expect(throws: JobStoreError.self) {
            _ = try await PostgresJobStore(
                settings, settings: StoreSettings(), time: .database, migrator: Migrator(steps: Later.steps())
            )
        }
        #expect(
            error?.message.contains("run `renga migrate` once as postgres") == true,
            "\(String(describing: error))")
    }

    /// All that a fleet does.
    private func work(_ store: PostgresJobStore) async throws {
        let worker = try await store.register(NewWorker(name: "w", host: "h", processID: 1, slots: 3))
        _ = try await store.enqueue([try Sample.job("one"), try Sample.job("two")], atomically: false)
        let claim = try await store.claim(
            ClaimRequest(worker: worker, slots: 2, running: 0, lease: 30_000, services: [Sample.service]))
        for attempt in claim.attempts { _ = try await store.settle(Sample.success(attempt.key, "positive")) }
        _ = try await store.reap()
        _ = try await store.prune(olderThan: 0)
        #expect(!claim.attempts.isEmpty)
        #expect(try await store.checkReady().schemaVersion == Schema.version)
        await store.close()
    }

    @Test func `A role without any schema is told how to get one`() async throws {
        let server = try TestPostgres.shared()
        let database = try server.makeDatabase()
        try script(
            server, database, "CREATE ROLE homeless LOGIN; ALTER ROLE homeless SET search_path = nowhere")
        let refusal = await refusal(url(server, "homeless", database))
        #expect(refusal.contains("search_path") && refusal.contains("CREATE SCHEMA"), "\(refusal)")
    }

    @Test func `What transactions see does not depend on a default of the database`() async throws {
        let server = try TestPostgres.shared()
        let database = try server.makeDatabase()
        try script(
            server, database, "ALTER DATABASE \(database) SET default_transaction_isolation = 'serializable'")
        var settings = try ConnectionSettings(url: server.url(database: database), from: .environment)
        settings.serverSettings = PostgresJobStore.serverSettings
        let isolation = Call(
            Statement("test-isolation", assembled: "SELECT current_setting('transaction_isolation')"))
        let found = try Connection.open(settings).run([isolation])[0][0].text(0)
        #expect(found == "read committed")
        let plain = try ConnectionSettings(url: server.url(database: database), from: .environment)
        try await work(try await PostgresJobStore(plain))
    }

    @Test func `A node that takes no writes is refused, with where to look for one that does`() async throws {
        let server = try TestPostgres.shared()
        let database = try server.makeDatabase()
        try script(
            server, database, "ALTER DATABASE \(database) SET default_transaction_read_only = on")
        let refusal = await refusal(server.tcpURL(database: database))
        #expect(
            refusal.contains("is read-only: it is a standby") && refusal.contains("HOST1,HOST2"), "\(refusal)"
        )
    }
}
