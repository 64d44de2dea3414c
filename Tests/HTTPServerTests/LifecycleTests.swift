import HTTPServer
import Testing

@Suite struct LifecycleTests {
    private static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    private static func server(
        grace: Duration = .seconds(5), port: Int = 0, address: String = "127.0.0.1",
        _ answer: @escaping @Sendable (Request) async -> Response
    ) -> HTTPServer {
        var configuration = HTTPServer.Configuration(address: address, port: port)
        configuration.grace = grace
        return HTTPServer(configuration: configuration, handler: TestHandler(answer: answer))
    }

    @Test func `stopping waits for the request in flight and takes no new one`() async throws {
        let (started, proceed) = (Signal<Void>(), Signal<Void>())
        let server = Self.server { _ in
            started.send(())
            _ = await proceed.next()
            return Response(text: "done")
        }
        try server.start()
        let port = server.port
        let client = Task { try await RawClient.exchange(port, Self.request) }
        _ = await started.next()
        let stop = Task { await server.stop() }
        let deadline = ContinuousClock.now + .seconds(5)
        var isRefused = false
        while !isRefused, ContinuousClock.now < deadline {
            do {
                try await RawClient.talk(to: port) { _ in }
                await Task.yield()
            } catch is HTTPServerError.Refused {
                isRefused = true
            }
        }
        #expect(isRefused)
        proceed.send(())
        let answer = try await client.value
        #expect(answer.body == "done")
        #expect(answer.contains("connection: close") || answer.contains("Connection: close"))
        await stop.value
    }

    @Test func `stopping closes idle connections at once`() async throws {
        let server = Self.server(grace: .seconds(60), echo)
        try server.start()
        let port = server.port
        let answered = Signal<Void>()
        let client = Task {
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.request)
                let answer = try client.receive(through: "?")
                answered.send(())
                return answer + (try client.receiveAll())
            }
        }
        _ = await answered.next()
        await server.stop()
        #expect(try await client.value.status == 200)
    }

    @Test func `after the grace what is in flight is cancelled`() async throws {
        let started = Signal<Void>()
        let server = Self.server(grace: .milliseconds(50)) { _ in
            started.send(())
            try? await Task.sleep(for: .seconds(RawClient.patience))
            return Response(status: 503, text: "cancelled: \(Task.isCancelled)")
        }
        try server.start()
        let port = server.port
        let client = Task { try await RawClient.exchange(port, Self.request) }
        _ = await started.next()
        await server.stop()
        #expect(try await client.value.body == "cancelled: true")
    }

    @Test func `a handler that heeds nothing does not hold up the stop for ever`() async throws {
        let (started, proceed) = (Signal<Void>(), Signal<Void>())
        let server = Self.server(grace: .milliseconds(50)) { _ in
            started.send(())
            await Task.detached { _ = await proceed.next() }.value
            return Response(text: "too late")
        }
        try server.start()
        let port = server.port
        let client = Task { try await RawClient.exchange(port, Self.request) }
        _ = await started.next()
        await server.stop()
        #expect(try await client.value == "")
        proceed.send(())
    }

    @Test func `streams that wait are ended by the stop`() async throws {
        let started = Signal<Void>()
        let server = Self.server(grace: .milliseconds(50)) { _ in
            Response(
                body: .stream { writer in
                    try await writer.write("first")
                    started.send(())
                    try await Task.sleep(for: .seconds(RawClient.patience))
                })
        }
        try server.start()
        let port = server.port
        let clients = (0..<5).map { _ in Task { try await RawClient.exchange(port, Self.request) } }
        for _ in clients { _ = await started.next() }
        await server.stop()
        for client in clients { #expect(try await client.value.body == "5\r\nfirst\r\n") }
    }

    @Test func `a port in use is told`() async throws {
        let server = Self.server(echo)
        try server.start()
        let second = Self.server(port: server.port, echo)
        let error = #expect(throws: HTTPServerError.self) { try second.start() }
        #expect(error?.code == .addressInUse)
        #expect(error?.message == "cannot listen on 127.0.0.1:\(server.port): Address already in use")
        await server.stop()
    }

    @Test(arguments: [("not an address", 0), ("127.0.0.1", 70000), ("192.0.2.1", 0)])
    func `an address that is none is told`(address: String, port: Int) {
        let error = #expect(throws: HTTPServerError.self) {
            try Self.server(port: port, address: address, echo).start()
        }
        #expect(error?.code == .badAddress)
    }

    @Test func `a server is started once`() async throws {
        let server = Self.server(echo)
        try server.start()
        #expect(throws: HTTPServerError.self) { try server.start() }
        await server.stop()
        #expect(throws: HTTPServerError.self) { try server.start() }
    }

    @Test func `stopping twice is stopping once`() async throws {
        let server = Self.server(echo)
        try server.start()
        await server.stop()
        await server.stop()
        #expect(server.port == 0)
    }

    @Test func `every stop waits for the end`() async throws {
        let (started, proceed, stopped) = (Signal<Void>(), Signal<Void>(), Signal<Void>())
        let server = Self.server { _ in
            started.send(())
            _ = await proceed.next()
            return Response(text: "done")
        }
        try server.start()
        let port = server.port
        let client = Task { try await RawClient.exchange(port, Self.request) }
        _ = await started.next()
        for _ in 0..<2 {
            Task {
                await server.stop()
                stopped.send(())
            }
        }
        #expect(await stopped.next(within: .milliseconds(50)) == nil)
        proceed.send(())
        #expect(await stopped.next() != nil)
        #expect(await stopped.next() != nil)
        #expect(try await client.value.body == "done")
    }

    @Test func `it listens on IPv6 too`() async throws {
        let server = Self.server(address: "::1", echo)
        try server.start()
        #expect(server.port > 0)
        await server.stop()
    }
}
