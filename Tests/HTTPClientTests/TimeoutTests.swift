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

    /// What drips for ever: events that say nothing, lines of a head, interim answers, the letters of a line.
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", "event: ping\ndata: {}\n\n"),
        ("HTTP/1.1 200 OK\r\n", "X: y\r\n"), ("", "HTTP/1.1 103 Early Hints\r\n\r\n"), ("HTTP/1.1 200 ", "O"),
    ])
    func `what drips for ever is cut when the call must end`(beginning: String, drop: String) async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send(beginning)
            while peer.send(drop) { peer.rest(milliseconds: 20) }
        }
        let request = HTTPRequest(url: server.url, body: [1], timeouts: .init(idle: 5, call: 0.6))
        let began = ContinuousClock.now
        #expect(await failure(of: client, request)?.code == .callTimeout)
        let error = await #expect(throws: HTTPClientError.self) {
            for try await _ in try await client.stream(request).body {}
        }
        #expect(error?.code == .callTimeout && error?.message == "the call did not end within 0.6 s")
        // Each ended by its own end, not by the silence of 5 s; the rest is a busy machine's.
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    @Test func `pings keep a silent stream alive`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
            for _ in 0..<12 {
                peer.rest(milliseconds: 100)
                peer.send("x")
            }
        }
        let request = HTTPRequest(url: server.url, timeouts: .init(idle: 0.6, head: 20, call: 30))
        var count = 0
        for try await piece in try await client.stream(request).body { count += piece.count }
        #expect(count == 12)
    }

    @Test func `a stream that is concluded ends soon, though its server does not end it`() async throws {
        let closed = Event()
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            peer.untilClosed()
            closed.fire()
        }
        let stream = try await client.stream(.init(url: server.url, timeouts: .init(idle: 600)))
        stream.body.conclude()
        await closed.wait()
        withExtendedLifetime(stream) {}
    }
}
