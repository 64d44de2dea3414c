import Jobs
import Postgres
import TestPostgres
import TestSupport
import Testing

@testable import JobStorePostgres
@testable import StoreConformance

/// What slows a server down or threatens it, and what to do about it.
@Suite(.onThread) struct HealthTests {
    private func cautions(_ change: (inout ServerHealth) -> Void) -> [String] {
        var health = ServerHealth()
        change(&health)
        return health.cautions
    }

    private func holder(seconds: Int64?, transactions: Int64 = 5) -> ServerHealth.Holder {
        ServerHealth.Holder(
            words: "the slot s", cure: "drop it", seconds: seconds, transactions: transactions)
    }

    @Test func `A server that does well is told nothing`() {
        let found = cautions { health in
            health.tables = [.init(name: "waiting", live: 1_000_000, dead: 300_000, seconds: nil)]
            health.holders = [holder(seconds: 299), holder(seconds: nil, transactions: 99_999)]
            health.standbys = [.init(name: "s", state: "streaming", bytes: nil, seconds: nil)]
            health.idleSlots = [.init(name: "s", bytes: 1 << 20)]
        }
        #expect(found.isEmpty)
    }

    @Test func `Dead rows are told with their cure, which is another one while something keeps them`() {
        let dead = ServerHealth.Table(name: "flight", live: 40, dead: 750_000, seconds: 70)
        let alone = cautions { $0.tables = [dead] }
        #expect(alone.count == 1 && alone[0].contains("flight has 750000 beside 40"))
        #expect(alone[0].contains("VACUUM flight") && alone[0].contains("autovacuum_naptime = 10s"))
        let held = cautions { health in
            health.tables = [dead]
            health.holders = [holder(seconds: 300)]
        }
        #expect(held.count == 2 && held[0].contains("the slot s has kept its view of the database for 300 s"))
        #expect(held[0].hasSuffix("drop it") && held[1].contains("end what keeps them first"))
    }

    @Test func `Standbys that fall behind and slots that nobody reads are told`() {
        let found = cautions { health in
            health.standbys = [
                .init(name: "east", state: "streaming", bytes: 300 << 20, seconds: 3),
                .init(name: "west", state: "catchup", bytes: nil, seconds: 31),
            ]
            health.idleSlots = [.init(name: "old", bytes: 5 << 30)]
        }
        #expect(found.count == 3 && found[0].contains("east (streaming) is 300 MiB"))
        #expect(found[1].contains("west (catchup)"))
        #expect(found[2].contains("pg_drop_replication_slot('old')"))
    }

    @Test func `A real server's transactions, prepared ones, slots and standbys are seen`() async throws {
        let server = try TestPostgres()
        let database = try server.makeDatabase()
        let settings = try ConnectionSettings(url: server.url(database: database), from: .environment)
        let store = try await PostgresJobStore(settings)
        #expect(try await store.checkReady().cautions.isEmpty)
        let replica = try TestPostgres(replicaOf: server)
        let shell = try Connection.open(settings)
        try shell.execute(script: "SELECT pg_create_physical_replication_slot('idle', true)")
        try shell.execute(
            script: "BEGIN; CREATE TABLE held (id bigint); PREPARE TRANSACTION 'it''s forgotten'")
        let begin = ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM job"]
        _ = shell.run(batches: [Batch(begin.map { Call(Statement("test-shell", assembled: $0)) })])
        let health = try await store.read { access in try ServerHealth(access) }
        #expect(health.tables.map(\.name) == ["flight", "running", "waiting"])
        #expect(health.holders.contains { $0.cure == "SELECT pg_terminate_backend(\(shell.serverProcess))" })
        #expect(
            health.holders.contains { $0.cure == "ROLLBACK PREPARED 'it''s forgotten'" && $0.seconds != nil })
        #expect(health.idleSlots.map(\.name) == ["idle"])
        #expect(health.standbys.count == 1)
        #expect(health.naptimeSeconds == 60)
        await store.close()
        _ = replica
    }

    @Test func `The check looks at it all, and hears one session from another`() throws {
        let server = try TestPostgres.shared()
        let check = try PostgresCheck(
            ConnectionSettings(url: server.url(database: server.makeDatabase()), from: .environment))
        #expect(check.hears && check.mayWork && check.schemaVersion == nil)
    }

    @Test func `Tables whose rows come and go are cleared early`() async throws {
        let database = try PostgresDatabase()
        let options = Call(
            Statement(
                "test-options",
                assembled: """
                    SELECT relname::text, array_to_string(reloptions, ',') FROM pg_class
                    WHERE relname IN ('waiting', 'running', 'flight', 'route', 'queue', 'bucket', 'budget_window', 'lane_tally_part', 'batch_tally_part',
                        'virtual_time', 'commit_mark', 'renga', 'batch', 'batch_money_part',
                        'spend_part', 'spend_tag_part')
                    """))
        let rows = try Connection.open(database.connectionSettings()).run([options])[0]
        #expect(rows.count == 16)
        for row in rows {
            let (name, text) = (try row.text(0), try row.textOrNil(1) ?? "")
            let isBig = ["waiting", "running", "flight"].contains(name)
            #expect(text.contains("autovacuum_vacuum_scale_factor=0,"), "\(name): \(text)")
            #expect(text.contains("autovacuum_vacuum_threshold=\(isBig ? 50_000 : 500)"), "\(name): \(text)")
            #expect(isBig || text.contains("fillfactor=50"), "\(name): \(text)")
        }
        await database.destroy()
    }
}
