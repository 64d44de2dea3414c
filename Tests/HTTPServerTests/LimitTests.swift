import Glibc
import HTTPServer
import TestSupport
import Testing

/// Runs alone within itself: it opens thousands of sockets.
@Suite(.serialized) struct LimitTests {
    /// Opens connections that say nothing, runs a test beside them, and closes them.
    private static func withIdle<T: Sendable>(
        _ count: Int, on port: Int, _ test: (Int) async throws -> T
    ) async throws -> T {
        let idle = try await onThread {
            try (0..<count).map { _ in try RawClient(port: port) }
        }
        defer { for client in idle { client.close() } }
        return try await test(port)
    }

    private static func raiseFileLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    @Test func `1,500 idle connections below the limit hold nobody up`() async throws {
        Self.raiseFileLimit()
        let answer = try await withServer(answer: echo) { port in
            try await Self.withIdle(1500, on: port) { try await RawClient.get($0, "/") }
        }
        #expect(answer.status == 200)
    }

    @Test func `1,500 idle connections above the limit are answered, never left hanging`() async throws {
        Self.raiseFileLimit()
        let answer = try await withServer(configure: { $0.connectionLimit = 1000 }, answer: echo) { port in
            try await Self.withIdle(1500, on: port) { try await RawClient.get($0, "/") }
        }
        #expect(answer.status == 503)
        #expect(answer.contains("request-id: req_"))
        #expect(answer.contains("close"))
    }

    @Test func `one address may not take every connection`() async throws {
        let answer = try await withServer(configure: { $0.perAddressLimit = 10 }, answer: echo) { port in
            try await Self.withIdle(10, on: port) { try await RawClient.get($0, "/") }
        }
        #expect(answer.status == 503)
    }

    @Test func `a connection idle for long makes room for a new one`() async throws {
        let answer = try await withServer(configure: { $0.connectionLimit = 20 }, answer: echo) { port in
            try await Self.withIdle(20, on: port) { port in
                try await Task.sleep(for: .milliseconds(1100))
                return try await RawClient.get(port, "/")
            }
        }
        #expect(answer.status == 200)
    }

    @Test func `busy connections are not closed for new ones`() async throws {
        let (started, proceed) = (Signal<Void>(), Signal<Void>())
        try await withServer(
            configure: { $0.connectionLimit = 1 },
            answer: { _ in
                started.send(())
                _ = await proceed.next()
                return Response(text: "done")
            }
        ) { port in
            let busy = Task { try await RawClient.get(port, "/") }
            _ = await started.next()
            let refused = try await RawClient.get(port, "/")
            #expect(refused.status == 503)
            proceed.send(())
            let done = try await busy.value
            #expect(done.body == "done")
        }
    }

    @Test func `room is used again`() async throws {
        try await withServer(configure: { $0.connectionLimit = 2 }, answer: echo) { port in
            for _ in 0..<50 {
                let deadline = ContinuousClock.now + .seconds(5)
                var status = 0
                // The connection before may not have been counted out yet.
                while status != 200, ContinuousClock.now < deadline {
                    status = try await RawClient.get(port, "/").status ?? 0
                }
                #expect(status == 200)
            }
        }
    }
}
