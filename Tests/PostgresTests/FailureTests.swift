import Glibc
import Postgres
import RawServer
import Synchronization
import TestPostgres
import TestSupport
import Testing

/// Servers and connections that break while something is under way.
@Suite(.serialized, .onThread) struct FailureTests {
    private static let insert = Statement("insert", "INSERT INTO item (id) VALUES ($1::bigint)", .bigint)

    private func insert(_ id: Int64) -> Call {
        var arguments = Arguments()
        arguments.add(id)
        return Call(Self.insert, arguments)
    }

    private func ids(_ connection: Connection) throws -> [Int64] {
        try connection.run([call("SELECT id FROM item ORDER BY id")])[0].map { row in try row.int64(0) }
    }

    private let table = "CREATE TABLE item (id bigint PRIMARY KEY)"

    @Test func `A crash of the server loses what was under way, and nothing that was committed`() async throws
    {
        let server = try TestPostgres()
        let session = try session(server.url())
        try await session.run { [table] connection in try connection.execute(script: table) }
        try await session.run([insert(1)])
        let underWay = Task { try await session.run([insert(2), call("SELECT pg_sleep(60)")]) }
        let watch = try connect(to: server.url())
        try await eventually {
            try watch.run([call("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")])[0][0]
                .int64(0)
                == 1
        }
        try await onThread { try server.crash() }
        let lost = await #expect(throws: PostgresError.self) { try await underWay.value }
        #expect(lost?.kind == .unknownOutcome)
        // Asked while the server is away; the session connects as soon as it is back, and prepares again.
        let waiting = Task { try await session.run([insert(3)]) }
        try await eventually { session.statistics.connectFailure != nil }
        try await onThread { try server.restart() }
        #expect(try await waiting.value.count == 1)
        #expect(session.statistics.connections == 2)
        #expect(try ids(connect(to: server.url())) == [1, 3])
        try await killed(server, session)
        await session.close()
    }

    /// `kill -9` of a server process, after which the server throws out all others too.
    private func killed(_ server: TestPostgres, _ session: Session) async throws {
        let process = try await session.run { connection in connection.serverProcess }
        let error = await #expect(throws: PostgresError.self) {
            try await session.run { connection in
                try connection.transaction { transaction in
                    try transaction.run([insert(4)])
                    kill(process, SIGKILL)
                    try transaction.run([call("SELECT pg_sleep(60)")])
                }
            }
        }
        #expect(error?.kind == .again, "COMMIT was never sent")
        try await session.run([insert(5)])
        #expect(session.statistics.connections == 3)
        #expect(try ids(connect(to: server.url())) == [1, 3, 5])
    }

    @Test func `A server that ends an idle connection is noticed, and the next caller sees nothing of it`()
        async throws
    {
        let url = try TestPostgres.shared().database()
        let session = try session(url)
        let process = try await session.run { connection in Int64(connection.serverProcess) }
        try connect(to: url).run([
            call("SELECT pg_terminate_backend($1::bigint::int)", .bigint) { $0.add(process) }
        ])
        try await eventually { !session.statistics.isConnected }
        #expect(try await session.run([call("SELECT 1::bigint")])[0][0].int64(0) == 1)
        await session.close()
    }

    /// The connection breaks when COMMIT passes: after the server has answered it, or before it has seen it.
    @Test(arguments: [true, false])
    func `A COMMIT that is lost on the way has an unknown outcome`(reachesTheServer: Bool) throws {
        let server = try TestPostgres.shared()
        let direct = try connect(to: server.database())
        try direct.execute(script: table)
        let name = try direct.run([call("SELECT current_database()::text")])[0][0].text(0)
        let relay = ScriptedServer { peer in
            var isCommitting = false
            peer.relay(to: server.port) { side, bytes in
                if side == .client, String(decoding: bytes, as: UTF8.self).contains("\0commit\0") {
                    isCommitting = true
                    return reachesTheServer ? bytes : nil
                }
                return isCommitting ? nil : bytes
            }
        }
        let connection = try connect(to: server.tcpURL(database: name, port: relay.port))
        let error = caught {
            try connection.transaction { transaction in
                try transaction.run([insert(1)])
                try transaction.commit([insert(2)])
            }
        }
        #expect(error?.kind == .unknownOutcome && !connection.isUsable)
        #expect(try ids(direct) == (reachesTheServer ? [1, 2] : []))
    }

    @Test func `Of requests that shared a broken round trip those with an answer keep it`() throws {
        let server = try TestPostgres.shared()
        let relay = ScriptedServer { peer in
            peer.relay(to: server.port) { side, bytes in
                side == .server && String(decoding: bytes, as: UTF8.self).contains("last words") ? nil : bytes
            }
        }
        let connection = try connect(to: server.tcpURL(port: relay.port))
        let outcomes = connection.run(batches: [
            Batch([call("SELECT 1::bigint, repeat('x', 100000)")]),
            Batch([call("SELECT pg_sleep(0.1), 'last words'")]),
            Batch([call("SELECT 2::bigint")]),
        ])
        #expect(try outcomes[0].get()[0][0].int64(0) == 1)
        #expect(
            kind { try outcomes[1].get() } == .unknownOutcome
                && kind { try outcomes[2].get() } == .unknownOutcome)
    }

    @Test func `Hosts that are dead, deaf or in recovery are passed over`() async throws {
        let (server, standby) = try (TestPostgres.shared(), TestPostgres(inRecovery: true))
        let (dead, deaf) = (DeadPort(), ScriptedServer { $0.untilClosed() })
        let hosts = [dead.port, deaf.port, standby.port, server.port].map { "127.0.0.1:\($0)" }
        let url = "postgres://postgres@\(hosts.joined(separator: ","))/postgres?connect_timeout=1"
        let connection = try await onThread { try connect(to: url).host.port }
        #expect(connection == server.port)
        let error = caught { try connect(to: standby.tcpURL()) }
        #expect(error?.kind == .unavailable && error?.message.contains("read-only") == true)
        let silent = caught {
            try connect(to: "postgres://u@127.0.0.1:\(deaf.port)/d?connect_timeout=1&sslmode=disable")
        }
        #expect(silent?.kind == .unavailable && silent?.message.contains("1000 ms") == true)
    }

    @Test func `Another cluster under the same name is refused`() async throws {
        let (first, second) = try (TestPostgres.shared(), TestPostgres())
        let target = Target(first.port)
        let relay = ScriptedServer { peer in
            peer.relay(to: target.port) { _, bytes in bytes }
        }
        let session = try session(first.tcpURL(port: relay.port), patienceMilliseconds: 300)
        try await session.run([call("SELECT 1")])
        target.port = second.port
        _ = try? await session.run([call("SELECT pg_terminate_backend(pg_backend_pid())")])
        let error = await #expect(throws: PostgresError.self) { try await session.run([call("SELECT 1")]) }
        #expect(error?.kind == .refused && error?.message.contains("another cluster") == true)
        target.port = first.port
        // Until the next attempt to connect, whoever asks is told of the last one.
        var answer: [Rows]?
        for _ in 0..<200 where answer == nil {
            answer = try? await session.run([call("SELECT 1")])
            if answer == nil { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(answer?.count == 1)
        await session.close()
    }

    private final class Target: Sendable {
        private let stored: Atomic<Int>
        init(_ port: Int) { stored = Atomic(port) }
        var port: Int {
            get { stored.load(ordering: .sequentiallyConsistent) }
            set { stored.store(newValue, ordering: .sequentiallyConsistent) }
        }
    }
}
