import Glibc
import HTTPServer
import Testing

@Suite struct BodyTests {
    private static let limit = 1024

    private static func post(_ size: Int, extra: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(size)\r\n\(extra)\r\n"
    }

    private static func chunked(_ chunks: [String]) -> String {
        let body = chunks.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined()
        return "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
    }

    /// Counts the bytes of a stream, and says how it ended.
    private static let count: @Sendable (Request) async -> Response = { request in
        guard case .stream(let stream) = request.body else { return Response(status: 500) }
        var count = 0
        do {
            for try await bytes in stream { count += bytes.count }
            return Response(text: "\(count)")
        } catch {
            return Response(text: "\(count) and \(error)")
        }
    }

    @Test(arguments: [1, 1024])
    func `a body up to the limit is collected`(size: Int) async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange($0, Self.post(size) + String(repeating: "x", count: size))
        }
        #expect(answer.body == "POST  ? \(size)")
    }

    @Test func `a chunked body is collected`() async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange($0, Self.chunked(["hello", " world"]) + "0\r\n\r\n")
        }
        #expect(answer.body == "POST  ? 11")
    }

    @Test func `an oversized body is read to its end and then refused`() async throws {
        let size = 3_000_000
        let (sentAll, answer) = try await withServer(answer: echo) { port in
            try await RawClient.talk(to: port) { client in
                let sent = client.send(Self.post(size)) && client.send([UInt8](repeating: 120, count: size))
                return (sent, try client.receiveAll())
            }
        }
        #expect(sentAll)
        #expect(answer.status == 413)
        #expect(answer.contains("request-id: req_"))
    }

    @Test func `an oversized chunked body is refused after its end`() async throws {
        let chunk = String(repeating: "x", count: 700)
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange($0, Self.chunked([chunk, chunk, chunk]) + "0\r\n\r\n")
        }
        #expect(answer.status == 413)
    }

    @Test func `beyond the bound an oversized body is answered and cut`() async throws {
        let answer = try await withServer(configure: { $0.drainLimit = 100_000 }, answer: echo) { port in
            try await RawClient.talk(to: port) { client in
                client.send(Self.post(1_000_000_000) + String(repeating: "x", count: 400_000))
                return try client.receiveAll()
            }
        }
        #expect(answer.status == 413)
        #expect(answer.contains("connection: close"))
    }

    @Test func `a client that asks first is told to continue`() async throws {
        let answer = try await withServer(answer: echo) { port in
            try await RawClient.talk(to: port) { client in
                client.send(Self.post(5, extra: "Expect: 100-continue\r\n"))
                let interim = try client.receive(through: "\r\n\r\n")
                client.send("hello")
                return interim + (try client.receiveAll())
            }
        }
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"))
        #expect(answer.hasSuffix("POST  ? 5"))
    }

    @Test func `a client that asks first is refused before it sends`() async throws {
        let answer = try await withServer(answer: echo) { port in
            try await RawClient.talk(to: port) { client in
                client.send(Self.post(5_000_000, extra: "Expect: 100-continue\r\n"))
                return try client.receiveAll()
            }
        }
        #expect(answer.status == 413)
    }

    @Test func `a streamed body arrives whole`() async throws {
        let size = 5_000_000
        let answer = try await withServer(policy: { _ in .stream }, answer: Self.count) { port in
            try await RawClient.talk(to: port) { client in
                client.send(Self.post(size))
                client.send([UInt8](repeating: 120, count: size))
                return try client.receiveAll()
            }
        }
        #expect(answer.body == "\(size)")
    }

    @Test func `an upload is read no faster than its handler takes it`() async throws {
        let sent = Signal<Int>()
        let proceed = Signal<Void>()
        let size = 64_000_000
        let answer = try await withServer(
            policy: { _ in .stream }, configure: { $0.streamBuffer = 100_000 },
            answer: { request in
                _ = await proceed.next()
                return await Self.count(request)
            }
        ) { port in
            let upload = Task {
                try await RawClient.talk(to: port) { client in
                    client.send(Self.post(size))
                    let piece = [UInt8](repeating: 120, count: 1_000_000)
                    for index in 0..<(size / piece.count) {
                        client.send(piece)
                        sent.send(index)
                    }
                    return try client.receiveAll()
                }
            }
            var pieces = 0
            while await sent.next(within: .milliseconds(300)) != nil { pieces += 1 }
            // What is not in our buffer waits in the kernel's: some megabytes, but not the whole upload.
            #expect(pieces < 40)
            proceed.send(())
            return try await upload.value
        }
        #expect(answer.body == "\(size)")
    }

    @Test func `a cut upload gives what came and then throws`() async throws {
        let result = Signal<String>()
        try await withServer(
            policy: { _ in .stream },
            answer: { request in
                let response = await Self.count(request)
                if case .bytes(let bytes) = response.body {
                    result.send(String(decoding: bytes, as: UTF8.self))
                }
                return response
            }
        ) { port in
            try await RawClient.talk(to: port) { client in
                _ = client.send(Self.post(100_000) + "only this")
            }
            #expect(await result.next() == "9 and the upload ended early")
        }
    }

    @Test func `an answer given early is sent when the upload has ended`() async throws {
        let answer = try await withServer(
            policy: { _ in .stream }, configure: { $0.streamBuffer = 10_000 },
            answer: { _ in Response(status: 422, text: "no") }
        ) { port in
            try await RawClient.talk(to: port) { client in
                let sent =
                    client.send(Self.post(4_000_000))
                    && client.send([UInt8](repeating: 120, count: 4_000_000))
                return "\(sent) " + (try client.receiveAll())
            }
        }
        #expect(answer.hasPrefix("true HTTP/1.1 422"))
    }

    @Test func `bodies in memory have a limit together`() async throws {
        let memory = BodyMemory(limit: 500)
        try await withServer(configure: { $0.bodyMemory = memory }, answer: echo) { port in
            // A lone one is let in, whatever the limit.
            let lone = try await RawClient.exchange(
                port, Self.post(600) + String(repeating: "x", count: 600))
            #expect(lone.status == 200)
            // It ends a moment after its answer.
            while memory.usedBytes > 0 { try await Task.sleep(for: .milliseconds(1)) }
            let half = Self.post(600) + String(repeating: "x", count: 300)
            try await RawClient.talk(to: port) { client in
                client.send(half)
                while memory.usedBytes < 300 { usleep(1_000) }
                let other = try RawClient(port: port)
                defer { other.close() }
                other.send(Self.post(300) + String(repeating: "y", count: 300))
                let refused = try other.receive(through: "HTTP/1.1 503")
                #expect(refused.contains("HTTP/1.1 503"))
                client.send(String(repeating: "x", count: 300))
                #expect(try client.receive(through: "600").contains("HTTP/1.1 200"))
            }
        }
        #expect(memory.usedBytes == 0)
    }

    @Test func `shares of memory are given back with their request`() {
        let memory = BodyMemory(limit: 100)
        do {
            let (one, other) = (BodyMemory.Share(of: memory), BodyMemory.Share(of: memory))
            #expect(one.hold(90) && !other.hold(20) && other.hold(10))
            #expect(one.hold(50) && other.hold(50) && !other.hold(51))
            #expect(memory.usedBytes == 100)
            withExtendedLifetime((one, other)) {}
        }
        #expect(memory.usedBytes == 0)
        #expect(BodyMemory.Share(of: memory).hold(1_000))
    }
}
