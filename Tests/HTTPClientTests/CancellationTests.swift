import HTTPClient
import RawServer
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CancellationTests {
    @Test func `cancelling a call closes its connection at once`() async throws {
        let (arrived, closed) = (Event(), Event())
        let server = silentServer(arrived, closed)
        let client = HTTPClient()
        let task = Task { [url = server.url] in try await client.send(.init(url: url, body: [1])) }
        await arrived.wait()
        task.cancel()
        let error = await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.maySent == true)
        await closed.wait()
    }

    @Test func `a task that is cancelled already sends nothing`() async throws {
        let server = ScriptedServer { _ = $0.request() }
        let client = HTTPClient()
        let task = Task { [url = server.url] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(.init(url: url))
        }
        let error = await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.maySent == false)
        #expect(server.connectionCount == 0)
    }

    @Test func `shutting down fails what is in flight and all that comes later`() async throws {
        let (arrived, closed) = (Event(), Event())
        let server = silentServer(arrived, closed)
        let client = HTTPClient()
        let task = Task { [url = server.url] in try await client.send(.init(url: url, body: [1])) }
        await arrived.wait()
        client.shutdown()
        let error = await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.maySent == true)
        await closed.wait()
        let late = await failure(of: client, .init(url: server.url))
        #expect(late?.code == .cancelled)
        #expect(late?.maySent == false)
    }

    @Test func `kept connections close when the last one lets go of the client`() async throws {
        let closed = Event()
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.answer()
            peer.untilClosed()
            closed.fire()
        }
        try await callOnce(server.url)
        await closed.wait()
    }

    @Test func `thousands of calls cancelled at random end once each`() async throws {
        let server = ScriptedServer { peer in
            while peer.request() != nil { peer.answer() }
        }
        let client = HTTPClient()
        let url = server.url
        await withTaskGroup { group in
            for number in 0..<3000 {
                let call = Task { try await client.send(.init(url: url, body: [1])) }
                group.addTask {
                    if number % 3 == 0 { await Task.yield() }
                    if number % 2 == 0 { call.cancel() }
                    switch await call.result {
                    case .success(let response): #expect(response.status == 200)
                    case .failure(let error): #expect((error as? HTTPClientError)?.code == .cancelled)
                    }
                }
            }
        }
        #expect(try await client.send(.init(url: url)).status == 200)
    }

    private func callOnce(_ url: String) async throws {
        let client = HTTPClient()
        let response = try await client.send(.init(url: url))
        #expect(response.status == 200)
    }

    /// Takes a request and never answers it.
    private func silentServer(_ arrived: Event, _ closed: Event) -> ScriptedServer {
        ScriptedServer { peer in
            _ = peer.request()
            arrived.fire()
            peer.untilClosed()
            closed.fire()
        }
    }
}
