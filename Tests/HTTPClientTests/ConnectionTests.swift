import HTTPClient
import RawServer
import Testing

// Thousands of calls take their time on a machine that is busy.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct ConnectionTests {
    @Test func `four thousand calls in two hundred slots open two hundred connections at most`() async throws
    {
        let server = ScriptedServer { peer in
            while peer.request() != nil { peer.answer("200 OK", [], [1]) }
        }
        let client = HTTPClient(maxConnections: 200)
        let url = server.url
        await withTaskGroup { group in
            for _ in 0..<200 {
                group.addTask {
                    for _ in 0..<20 { #expect(await failure(of: client, .init(url: url, body: [1])) == nil) }
                }
            }
        }
        #expect(server.connectionCount <= 200)
    }

    @Test func `two thousand calls are in flight at once`() async throws {
        let barrier = Barrier(2000)
        let server = ScriptedServer { peer in
            while peer.request() != nil {
                barrier.pass()
                peer.answer()
            }
        }
        let client = HTTPClient(maxConnections: 2000)
        #expect(try await succeeded(2000, client, server.url) == 2000)
    }

    @Test func `more calls than connections wait their turn`() async throws {
        let server = ScriptedServer { peer in
            while peer.request() != nil {
                peer.rest(milliseconds: 5)
                peer.answer()
            }
        }
        let client = HTTPClient(maxConnections: 1)
        #expect(try await succeeded(2000, client, server.url) == 2000)
        #expect(server.connectionCount <= 200)
    }

    @Test func `a kept connection that the server has closed is replaced unseen`() async throws {
        let closed = Event()
        let server = ScriptedServer { peer in
            guard peer.request() != nil else { return }
            peer.answer()
            // Reads the next request and closes without an answer: the race of every keep-alive.
            if peer.request()?.target == "/second" { closed.fire() }
        }
        let client = HTTPClient()
        #expect(try await client.send(.init(url: server.url + "/first", body: [1])).status == 200)
        #expect(try await client.send(.init(url: server.url + "/second", body: [1])).status == 200)
        await closed.wait()
        #expect(server.connectionCount == 2)
    }

    @Test func `a request that may not be repeated fails when its kept connection ends`() async throws {
        let server = ScriptedServer { peer in
            guard peer.request() != nil else { return }
            peer.answer()
            _ = peer.request()
        }
        let client = HTTPClient()
        let request = HTTPRequest(url: server.url, body: [1], mayRepeat: false)
        #expect(try await client.send(request).status == 200)
        let error = await failure(of: client, request)
        #expect(error?.code == .reset)
        #expect(error?.maySent == true)
    }

    @Test func `a host that never answers a handshake holds up no other`() async throws {
        let silent = ScriptedServer { $0.untilClosed() }
        let server = ScriptedServer { peer in
            while peer.request() != nil { peer.answer() }
        }
        let client = HTTPClient(maxConnections: 200)
        let stuck = (0..<300).map { _ in
            Task { [port = silent.port] in try await client.send(.init(url: "https://127.0.0.1:\(port)/")) }
        }
        #expect(try await succeeded(100, client, server.url) == 100)
        stuck.forEach { $0.cancel() }
        for task in stuck { _ = await task.result }
    }

    private func succeeded(_ count: Int, _ client: HTTPClient, _ url: String) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<count {
                group.addTask { try await client.send(.init(url: url, body: [1])).status == 200 ? 1 : 0 }
            }
            return try await group.reduce(0, +)
        }
    }
}
