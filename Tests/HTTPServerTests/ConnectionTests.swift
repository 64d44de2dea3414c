import Glibc
import HTTPServer
import Testing

@Suite struct ConnectionTests {
    private static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    /// Waits until it is cancelled, and says so.
    private static func waiting(_ started: Signal<Void>, _ cancelled: Signal<Bool>)
        -> @Sendable (Request) async -> Response
    {
        { _ in
            started.send(())
            try? await Task.sleep(for: .seconds(RawClient.patience))
            cancelled.send(Task.isCancelled)
            return Response(text: "late")
        }
    }

    @Test(arguments: [false, true])
    func `a hang-up cancels the handler's task`(withReset: Bool) async throws {
        let (started, cancelled) = (Signal<Void>(), Signal<Bool>())
        try await withServer(answer: Self.waiting(started, cancelled)) { port in
            let proceed = ThreadSignal()
            let client = Task {
                try await RawClient.talk(to: port) { client in
                    _ = client.send(Self.request)
                    proceed.wait()
                    if withReset { client.resetOnClose() }
                }
            }
            _ = await started.next()
            proceed.signal()
            try await client.value
            #expect(await cancelled.next() == true)
        }
    }

    @Test func `a client that only finished sending still gets the answer`() async throws {
        let (started, cancelled) = (Signal<Void>(), Signal<Bool>())
        let answer = try await withServer(answer: Self.waiting(started, cancelled)) { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.request)
                client.finishSending()
                return try client.receiveAll()
            }
        }
        #expect(answer.body == "late")
    }

    @Test func `a hang-up stops a producer`() async throws {
        let stopped = Signal<String>()
        let stream = Response(
            body: .stream { writer in
                do {
                    while true {
                        try await writer.write("tick\n")
                        try await Task.sleep(for: .milliseconds(1))
                    }
                } catch {
                    stopped.send("\(error)")
                    throw error
                }
            })
        try await withServer(answer: { _ in stream }) { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.request)
                _ = try client.receive(through: "tick")
            }
            let reason = try #require(await stopped.next())
            #expect(reason == "the client hung up" || reason == "CancellationError()")
        }
    }

    @Test func `a hang-up ends a producer that waits for something else`() async throws {
        let cancelled = Signal<Bool>()
        let stream = Response(
            body: .stream { writer in
                try await writer.write("first\n")
                try? await Task.sleep(for: .seconds(RawClient.patience))
                cancelled.send(Task.isCancelled)
            })
        try await withServer(answer: { _ in stream }) { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.request)
                _ = try client.receive(through: "first")
            }
            #expect(await cancelled.next() == true)
        }
    }

    @Test func `a slow handler holds nobody up`() async throws {
        let (started, cancelled) = (Signal<Void>(), Signal<Bool>())
        let slow = Self.waiting(started, cancelled)
        let answer = try await withServer(
            answer: { $0.head.path == ["slow"] ? await slow($0) : Response(text: "quick") }
        ) { port in
            let client = Task { try await RawClient.get(port, "/slow") }
            _ = await started.next()
            let answer = try await RawClient.get(port, "/")
            client.cancel()
            return answer
        }
        #expect(answer.body == "quick")
    }

    @Test func `headers must come in time, however steadily they trickle`() async throws {
        let answer = try await withServer(configure: { $0.headerDeadline = .milliseconds(200) }, answer: echo)
        { port in
            try await RawClient.talk(to: port) { client in
                for _ in 0..<1000 where client.send("G") { usleep(2000) }
                return try client.receiveAll()
            }
        }
        // What trickles in after the answer resets the connection, which may swallow it.
        #expect(answer.status == 408 || answer.isEmpty)
    }

    @Test func `a connection without a request is told and closed`() async throws {
        let answer = try await withServer(configure: { $0.headerDeadline = .milliseconds(100) }, answer: echo)
        { port in
            try await RawClient.talk(to: port) { try $0.receiveAll() }
        }
        #expect(answer.status == 408)
        #expect(answer.contains("request-id: req_"))
    }

    @Test func `a half-sent header is told and closed`() async throws {
        let answer = try await withServer(configure: { $0.headerDeadline = .milliseconds(100) }, answer: echo)
        { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send("GET / HTTP/1.1\r\nHost: x\r\n")
                return try client.receiveAll()
            }
        }
        #expect(answer.status == 408)
    }

    @Test func `a body must come in time`() async throws {
        let answer = try await withServer(configure: { $0.bodyDeadline = .milliseconds(100) }, answer: echo) {
            port in
            try await RawClient.talk(to: port) { client in
                _ = client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
                return try client.receiveAll()
            }
        }
        #expect(answer.status == 408)
    }

    @Test func `a body that keeps up the least rate may take its time`() async throws {
        let answer = try await withServer(
            configure: {
                $0.bodyDeadline = .milliseconds(50)
                $0.minimumBodyRate = 100
            }, answer: echo
        ) { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(
                    "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n")
                for _ in 0..<10 {
                    _ = client.send("0123456789")
                    usleep(30_000)
                }
                return try client.receiveAll()
            }
        }
        #expect(answer.body == "POST  ? 100")
    }

    @Test func `an idle connection is closed`() async throws {
        let answer = try await withServer(configure: { $0.idleTimeout = .milliseconds(100) }, answer: echo) {
            port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.request)
                return try client.receiveAll()
            }
        }
        #expect(answer.hasSuffix("GET  ? 0"))
    }

    @Test func `a connection closed with its last request is not kept`() async throws {
        let (started, cancelled) = (Signal<Void>(), Signal<Bool>())
        try await withServer(
            configure: { $0.connectionLimit = 1 },
            answer: {
                $0.head.path == ["wait"] ? await Self.waiting(started, cancelled)($0) : Response(text: "ok")
            }
        ) { port in
            for _ in 0..<20 {
                try await RawClient.talk(to: port) { _ = $0.send(Self.request) }
            }
            let deadline = ContinuousClock.now + .seconds(5)
            var answer = ""
            while answer.status != 200, ContinuousClock.now < deadline {
                answer = try await RawClient.get(port, "/")
            }
            #expect(answer.status == 200)
        }
    }

    @Test func `a hang-up also ends what was asked for in advance`() async throws {
        let (started, cancelled) = (Signal<Void>(), Signal<Bool>())
        let wait = Self.waiting(started, cancelled)
        let stream = Response(
            body: .stream { writer in
                try await writer.write("first\n")
                _ = await wait(Request(head: RequestHead(method: "", path: [], rawPath: "")))
            })
        try await withServer(answer: { $0.head.path == ["stream"] ? stream : await wait($0) }) { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.request + "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
                client.finishSending()
                _ = try client.receiveAll()
            }
            #expect(await cancelled.next() == true)
            #expect(await cancelled.next() == true)
        }
    }

    @Test func `malformed chunks are refused`() async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange(
                $0, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
        }
        #expect(answer.status == 400)
    }
}

extension RawClient {
    /// Closing sends RST instead of FIN.
    func resetOnClose() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
}
