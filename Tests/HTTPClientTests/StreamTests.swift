import HTTPClient
import RawServer
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
    private let client = HTTPClient()

    @Test func `the head comes first and pieces come as they are sent`() async throws {
        let (headSeen, firstSeen) = (Event(), Event())
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n")
            headSeen.waitOnThread()
            peer.send("3\r\none\r\n")
            firstSeen.waitOnThread()
            peer.send("3\r\ntwo\r\n0\r\n\r\n")
        }
        let stream = try await client.stream(.init(url: server.url))
        #expect(stream.status == 200)
        #expect(stream.headers["x"] == "y")
        headSeen.fire()
        var pieces = stream.body.makeAsyncIterator()
        #expect(try await pieces.next() == Array("one".utf8))
        firstSeen.fire()
        #expect(try await pieces.next() == Array("two".utf8))
        #expect(try await pieces.next() == nil)
        #expect(try await pieces.next() == nil)
    }

    @Test func `a slow reader stops the server, loses nothing and meets no idle timeout`() async throws {
        let size = 64 << 20
        let (stopped, sentBefore) = (Event(), Recorded(0))
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            peer.limitWrites(milliseconds: 1200)
            var rest = size
            while rest > 0 {
                let sent = peer.sendSome([UInt8](repeating: 7, count: min(rest, 1 << 20)))
                if sent == 0 {
                    sentBefore.set(size - rest)
                    stopped.fire()
                }
                rest -= max(sent, 0)
                if sent < 0 { return }
            }
        }
        let request = HTTPRequest(url: server.url, timeouts: .init(idle: 1), maxResponseBytes: size)
        let stream = try await client.stream(request)
        await stopped.wait()
        #expect(sentBefore.value < 32 << 20)
        var count = 0
        for try await piece in stream.body { count += piece.count }
        #expect(count == size)
    }

    @Test func `a body that is cut ends with an error after what did come`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        }
        let stream = try await client.stream(.init(url: server.url))
        var bytes: [UInt8] = []
        let error = await #expect(throws: HTTPClientError.self) {
            for try await piece in stream.body { bytes += piece }
        }
        #expect(error?.code == .truncated)
        #expect(bytes == Array("one".utf8))
    }

    @Test func `a stream above its limit ends with an error`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.answer("200 OK", [], Array(repeating: 0, count: 100_000))
        }
        let stream = try await client.stream(.init(url: server.url, maxResponseBytes: 50_000))
        let error = await #expect(throws: HTTPClientError.self) { for try await _ in stream.body {} }
        #expect(error?.code == .tooLarge)
    }

    @Test func `dropping a stream closes its connection`() async throws {
        let closed = Event()
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
            peer.untilClosed()
            closed.fire()
        }
        _ = try await client.stream(.init(url: server.url)).status
        await closed.wait()
    }

    @Test func `cancelling the reader of a stream closes its connection`() async throws {
        let (reading, closed) = (Event(), Event())
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
            peer.untilClosed()
            closed.fire()
        }
        let stream = try await client.stream(.init(url: server.url))
        let task = Task {
            for try await _ in stream.body { reading.fire() }
        }
        await reading.wait()
        task.cancel()
        let error = await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        await closed.wait()
    }

    @Test func `a stream without an answer fails before there is a head`() async throws {
        let server = ScriptedServer { _ = $0.request() }
        let error = await #expect(throws: HTTPClientError.self) {
            _ = try await client.stream(.init(url: server.url))
        }
        #expect(error?.code == .reset)
    }
}
