import HTTPClient
import RawServer
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TimeoutTests {
    private let client = HTTPClient()

    @Test func `a handshake that never ends meets the connect timeout, unsent`() async throws {
        let server = ScriptedServer { $0.untilClosed() }
        let request = HTTPRequest(url: "https://127.0.0.1:\(server.port)/", timeouts: .init(connect: 0.2))
        let error = await failure(of: client, request)
        #expect(error?.code == .connectTimeout)
        #expect(error?.maySent == false)
    }

    @Test func `a server that stops reading meets the write timeout`() async throws {
        let closed = Event()
        let server = ScriptedServer { peer in
            closed.waitOnThread()
            _ = peer
        }
        let body = [UInt8](repeating: 0, count: 32 << 20)
        let request = HTTPRequest(url: server.url, body: body, timeouts: .init(write: 0.3, call: 30))
        let error = await failure(of: client, request)
        closed.fire()
        #expect(error?.code == .writeTimeout)
        #expect(error?.maySent == true)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"])
    func `an answer that stalls meets the idle timeout`(beginning: String) async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send(beginning)
            peer.untilClosed()
        }
        let request = HTTPRequest(url: server.url, timeouts: .init(idle: 0.2, call: 30))
        #expect(await failure(of: client, request)?.code == .idleTimeout)
    }

    @Test func `an answer that drips on meets no idle timeout`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            for _ in 0..<10 {
                peer.rest(milliseconds: 80)
                peer.send("x")
            }
        }
        let request = HTTPRequest(url: server.url, timeouts: .init(idle: 0.5))
        #expect(try await client.send(request).body.count == 10)
    }

    @Test func `only the call timeout bounds the wait for the first byte, 1xx or not`() async throws {
        let server = ScriptedServer { peer in
            guard let request = peer.request() else { return }
            peer.send("HTTP/1.1 102 Processing\r\n\r\n")
            peer.rest(milliseconds: 600)
            if request.target == "/soon" { peer.answer() } else { peer.untilClosed() }
        }
        var timeouts = HTTPRequest.Timeouts(write: 0.2, idle: 0.2, call: 20)
        #expect(try await client.send(.init(url: server.url + "/soon", timeouts: timeouts)).status == 200)
        timeouts.call = 0.8
        let error = await failure(
            of: client, .init(url: server.url + "/never", body: [1], timeouts: timeouts))
        #expect(error?.code == .callTimeout)
        #expect(error?.maySent == true)
    }

    @Test func `a stream that has begun outlives its call timeout`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
            for _ in 0..<12 {
                peer.rest(milliseconds: 100)
                peer.send("x")
            }
        }
        let request = HTTPRequest(url: server.url, timeouts: .init(idle: 5, call: 0.8))
        var count = 0
        for try await piece in try await client.stream(request).body { count += piece.count }
        #expect(count == 12)
    }
}
