import Foundation
import Postgres
import RawServer
import TestPostgres
import Testing

/// What tests and benchmarks stand on.
@Suite struct TestServerTests {
    @Test func `A server has the settings that it was given, and its files go with it`() throws {
        let server = try TestPostgres(settings: ["max_connections": "37"])
        let connection = try connect(to: server.url())
        let shown = call("SELECT current_setting('max_connections'), current_setting('fsync')")
        let row = try connection.run([shown])[0][0]
        #expect(try row.text(0) == "37")
        #expect(try row.text(1) == "off")
        let number = try #require(server.processNumber)
        #expect(try String(contentsOfFile: "/proc/\(number)/comm", encoding: .utf8) == "postgres\n")
        try server.end()
        #expect(!FileManager.default.fileExists(atPath: server.folder))
    }

    @Test func `At a distance a round trip takes the way there and the way back, and all bytes arrive`()
        throws
    {
        let server = try TestPostgres.shared()
        let relay = ScriptedServer { peer in
            peer.relay(to: server.port, microsecondsEachWay: 20_000)
        }
        let connection = try connect(to: server.tcpURL(port: relay.port))
        let time = try ContinuousClock().measure {
            let long = try connection.run([call("SELECT repeat('x', 300000)")])[0][0].text(0)
            #expect(long.utf8.count == 300_000)
        }
        #expect(time >= .milliseconds(39))
    }
}
