import Glibc
import HTTPServer
import Testing

/// Answers that go on on the server's thread after each wait.
@Suite struct BriefTests {
    private struct Brief: Handler {
        let answer: @Sendable (Request) async -> Response

        func receive(_ head: RequestHead) -> Reception {
            Reception(body: .collect(limit: 1024), isBrief: true, respond: answer)
        }
    }

    private static let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    private static func withServer<T>(
        grace: Duration = .seconds(5), _ answer: @escaping @Sendable (Request) async -> Response,
        _ test: (HTTPServer) async throws -> T
    ) async throws -> T {
        var configuration = HTTPServer.Configuration()
        configuration.grace = grace
        let server = HTTPServer(configuration: configuration, handler: Brief(answer: answer))
        try server.start()
        do {
            let result = try await test(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    private static func pause(_ milliseconds: Int = 1) async {
        // Cancelled is over, too.
        try? await Task.sleep(for: .milliseconds(milliseconds))
    }

    @Test func `it stays on the thread that received it`() async throws {
        let threads = Signal<[UInt]>()
        try await Self.withServer { _ in
            var seen = [UInt(pthread_self())]
            await Self.pause()
            seen.append(UInt(pthread_self()))
            await Self.pause()
            seen.append(UInt(pthread_self()))
            threads.send(seen)
            return Response(text: "done")
        } _: { server in
            let answer = try await RawClient.exchange(server.port, Self.request)
            #expect(answer.body == "done")
        }
        let seen = try #require(await threads.next())
        #expect(Set(seen).count == 1)
    }

    @Test func `many at once are all answered, however often each waits`() async throws {
        try await Self.withServer { request in
            for _ in 0..<20 { await Task.yield() }
            await Self.pause()
            for _ in 0..<20 { await Task.yield() }
            return Response(text: request.head.query("n") ?? "")
        } _: { server in
            let port = server.port
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let request = "GET /?n=\(number) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                        let answer = try await RawClient.exchange(port, request)
                        #expect(answer.body == "\(number)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a stream is written from it`() async throws {
        try await Self.withServer { _ in
            Response(
                headers: ["content-type": "text/plain"],
                body: .stream { writer in
                    for piece in ["a", "b", "c"] {
                        await Self.pause()
                        try await writer.write(piece)
                    }
                })
        } _: { server in
            let answer = try await RawClient.exchange(server.port, Self.request)
            #expect(answer.status == 200)
            #expect(["a", "b", "c"].allSatisfy(answer.body.contains))
        }
    }

    @Test func `what is in flight after the grace is cancelled`() async throws {
        let started = Signal<Void>()
        try await Self.withServer(grace: .milliseconds(50)) { _ in
            started.send(())
            await Self.pause(60_000)
            return Response(status: 503, text: "cancelled: \(Task.isCancelled)")
        } _: { server in
            let port = server.port
            let client = Task { try await RawClient.exchange(port, Self.request) }
            _ = await started.next()
            await server.stop()
            let answer = try await client.value
            #expect(answer.body == "cancelled: true")
        }
    }

    @Test func `one that outlives the server comes to its end all the same`() async throws {
        let (started, proceed, ended) = (Signal<Void>(), Signal<Void>(), Signal<Void>())
        try await Self.withServer(grace: .milliseconds(1)) { _ in
            started.send(())
            _ = await proceed.next()
            ended.send(())
            return Response(text: "too late")
        } _: { server in
            let port = server.port
            let client = Task { try? await RawClient.exchange(port, Self.request) }
            _ = await started.next()
            await server.stop()
            _ = await client.value
            proceed.send(())
            #expect(await ended.next() != nil)
        }
    }
}
