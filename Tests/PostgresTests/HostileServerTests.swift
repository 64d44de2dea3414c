import Postgres
import RawServer
import TestPostgres
import TestSupport
import Testing

/// Servers that answer what no server should: each must end in an error, and none may end the process.
@Suite(.onThread) struct HostileServerTests {
    private typealias Wire = HostileWire

    private func url(_ server: ScriptedServer) -> String {
        "postgres://u@127.0.0.1:\(server.port)/d?sslmode=disable&connect_timeout=2"
    }

    /// Lets the client in, answers its greeting, and then what is asked first in that way, before it closes.
    private func error(greets: Bool, _ answer: [UInt8], limits: TripLimits = TripLimits()) -> PostgresError? {
        let server = ScriptedServer { peer in
            _ = peer.take()
            peer.send(Wire.welcome)
            if greets {
                peer.takeMarks(3)
                peer.send(Wire.greeting)
            }
            peer.takeMarks(1)
            peer.send(answer)
        }
        return caught {
            let connection = try connect(to: url(server))
            let rows = try connection.run([call("SELECT 1::bigint")], limits: limits)
            _ = try rows[0].map { row in try row.int64(0) }
        }
    }

    @Test func `The fake is good enough to be taken for a server`() {
        #expect(error(greets: true, Wire.answer(Wire.row([Wire.number]))) == nil)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `Noise instead of a welcome`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let noise = (0..<Int.random(in: 0...2_000, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let server = ScriptedServer { peer in
            _ = peer.take()
            if seed % 2 == 0 { peer.send(Wire.message("R", [0, 0, 0, 0])) }
            peer.send(noise)
        }
        #expect(kind { try connect(to: url(server)) } != nil)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `Noise instead of an answer`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let noise = (0..<Int.random(in: 1...2_000, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        #expect(error(greets: seed % 2 == 0, noise) != nil)
    }

    @Test(arguments: HostileWire.wrongAnswers)
    func `Answers that break a rule`(name: String, answer: [UInt8]) {
        #expect(error(greets: true, answer) != nil, "\(name)")
        #expect(error(greets: false, answer) != nil, "\(name)")
    }

    @Test func `Rows without end`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.take()
            peer.send(Wire.welcome)
            peer.takeMarks(3)
            peer.send(Wire.greeting)
            peer.takeMarks(1)
            peer.send(Wire.begun + Wire.columns)
            let rows = (0..<1_000).flatMap { _ in Wire.row([Wire.number]) }
            while peer.send(rows) {}
        }
        let url = url(server)
        let error = try await onThread {
            caught {
                try connect(to: url).run([call("SELECT 1::bigint")], limits: TripLimits(bytes: 4 << 20))
            }
        }
        #expect(error?.kind == .badAnswer && error?.message.contains("4194304 bytes") == true)
    }

    /// What a real server says, with one byte of it changed.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `A changed byte`(seed: UInt64) throws {
        let real = try TestPostgres.shared()
        let server = ScriptedServer { peer in
            var random = SeededRandom(seed: seed)
            var left = Int.random(in: 0...1_500, using: &random)
            peer.relay(to: real.port, quietMilliseconds: 100) { side, bytes in
                guard side == .server, left >= 0 else { return bytes }
                defer { left -= bytes.count }
                guard left < bytes.count else { return bytes }
                var changed = bytes
                changed[left] ^= UInt8.random(in: 1...255, using: &random)
                return changed
            }
        }
        // It may end well, if the byte was of a text.
        _ = caught {
            let connection = try connect(to: real.tcpURL(port: server.port))
            let values = call(
                "SELECT 1::bigint, 'text', 1.5::float8, ARRAY[1::bigint, NULL], ARRAY['a', 'b'], true")
            let rows = try connection.run([values, values])
            for row in rows.joined() {
                _ = try row.int64(0)
                _ = try (row.text(1), row.double(2), row.int64s(3), row.texts(4), row.bool(5))
            }
        }
    }
}
