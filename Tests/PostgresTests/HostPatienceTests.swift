import RawServer
import TestPostgres
import TestSupport
import Testing

@testable import Postgres

/// A cluster of which one host says nothing.
@Suite(.timeLimit(.minutes(1)), .onThread) struct HostPatienceTests {
    private let cluster: ConnectionSettings
    private var patience: HostPatience
    private var cutOff: ConnectionSettings.Host { cluster.hosts[0] }
    private var standby: ConnectionSettings.Host { cluster.hosts[1] }

    init() throws {
        cluster = try settings("postgres://u@db1,db2/d?connect_timeout=2")
        patience = HostPatience(cluster)
    }

    /// Asks all at a time: the first host says nothing, the second answers after so long.
    ///
    /// Returns how long each was waited for at most.
    private mutating func ask(at time: Int64, answerAfter took: Int64) -> [ConnectionSettings.Host: Int64] {
        var given: [ConnectionSettings.Host: Int64] = [:]
        var now = time
        for host in patience.order(cluster.hosts) {
            let (limit, askedAt) = (patience.limit(for: host, at: now), now)
            now += host == cutOff ? limit : took
            patience.note(host, askedAt: askedAt, limit: limit, now: now)
            given[host] = limit
        }
        return given
    }

    @Test mutating func `a silent host is asked last, and holds the others up no more`() {
        #expect(patience.order(cluster.hosts) == [cutOff, standby])
        #expect(ask(at: 0, answerAfter: 5) == [cutOff: 2_000, standby: 2_000])
        #expect(patience.order(cluster.hosts) == [standby, cutOff])
        #expect(ask(at: 3_000, answerAfter: 5) == [cutOff: 250, standby: 2_000])
        // Hosts that are far away take their time.
        #expect(ask(at: 4_000, answerAfter: 300)[cutOff] == 1_200)
        #expect(ask(at: 6_000, answerAfter: 900)[cutOff] == 2_000)
    }

    @Test mutating func `a silent host is waited for in full twice a minute`() {
        _ = ask(at: 0, answerAfter: 5)
        #expect(ask(at: 31_000, answerAfter: 5)[cutOff] == 250)
        #expect(ask(at: 33_000, answerAfter: 5)[cutOff] == 2_000)
        #expect(ask(at: 36_000, answerAfter: 5)[cutOff] == 250)
    }

    @Test
    mutating func
        `a host that answers again is as good as any, and with none that answers all have their time`()
    {
        _ = ask(at: 0, answerAfter: 5)
        patience.note(cutOff, askedAt: 3_000, limit: 250, now: 3_010)
        #expect(patience.order(cluster.hosts) == [cutOff, standby])
        for host in cluster.hosts { patience.note(host, askedAt: 4_000, limit: 2_000, now: 6_000) }
        _ = patience.order(cluster.hosts)
        #expect(cluster.hosts.allSatisfy { patience.limit(for: $0, at: 6_001) == 2_000 })
    }

    @Test func `a session that lost its server does not ask a silent host first`() async throws {
        let silent = ScriptedServer { $0.untilClosed() }
        let url = try TestPostgres.shared().database()
        let both = url.replacing("@", with: "@127.0.0.1:\(silent.port),", maxReplacements: 1)
        let session = try session(both + (both.contains("?") ? "&" : "?") + "connect_timeout=1")
        let process = try await session.run { $0.serverProcess }
        #expect(silent.connectionCount == 1)
        let other = try connect(to: url)
        try other.run([call("SELECT pg_terminate_backend(\(process))")])
        // What was under way is lost; what is asked then connects.
        while session.statistics.connections < 2 { _ = try? await session.run([call("SELECT 1")]) }
        #expect(silent.connectionCount == 1)
        await session.close()
    }
}
