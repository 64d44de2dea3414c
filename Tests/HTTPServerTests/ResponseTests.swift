import HTTPServer
import Testing

@Suite struct ResponseTests {
    private static func request(_ method: String, version: String = "1.1") -> String {
        "\(method) / HTTP/\(version)\r\nHost: x\r\nConnection: close\r\n\r\n"
    }

    @Test func `every answer carries its request's id`() async throws {
        let answer = try await withServer(answer: { Response(text: $0.head.id) }) {
            try await RawClient.get($0, "/")
        }
        #expect(answer.contains("request-id: \(answer.body)\r\n"))
        #expect(answer.body.hasPrefix("req_") && answer.body.count == 28)
    }

    @Test func `a handler's own request id is kept`() async throws {
        let answer = try await withServer(answer: { _ in Response(headers: ["Request-Id": "mine"]) }) {
            try await RawClient.get($0, "/")
        }
        #expect(answer.contains("Request-Id: mine\r\n"))
        #expect(!answer.contains("req_"))
    }

    @Test func `HEAD is answered with the length and without the body`() async throws {
        let answer = try await withServer(answer: { _ in Response(text: "hello") }) {
            try await RawClient.exchange($0, Self.request("HEAD"))
        }
        #expect(answer.status == 200)
        #expect(answer.contains("Content-Length: 5\r\n"))
        #expect(answer.body == "")
    }

    @Test func `HEAD runs no producer`() async throws {
        let ran = Signal<Void>()
        let stream = Response(body: .stream { _ in ran.send(()) })
        let answer = try await withServer(answer: { _ in stream }) {
            try await RawClient.exchange($0, Self.request("HEAD"))
        }
        #expect(answer.status == 200 && answer.body == "")
        #expect(await ran.next(within: .milliseconds(50)) == nil)
    }

    @Test(arguments: [204, 304])
    func `some answers have no body`(status: Int) async throws {
        let answer = try await withServer(answer: { _ in Response(status: status) }) {
            try await RawClient.get($0, "/")
        }
        #expect(answer.status == status)
        #expect(answer.body == "")
    }

    @Test(arguments: [0, 101, 999])
    func `an impossible status is an internal error`(status: Int) async throws {
        let answer = try await withServer(answer: { _ in Response(status: status) }) {
            try await RawClient.get($0, "/")
        }
        #expect(answer.status == 500)
    }

    @Test func `a header with a line break is left out`() async throws {
        let response = Response(headers: ["x-a": "1\r\nx-evil: 2", "x-b": "3"])
        let answer = try await withServer(answer: { _ in response }) { try await RawClient.get($0, "/") }
        #expect(!answer.contains("evil"))
        #expect(answer.contains("x-b: 3\r\n"))
    }

    @Test func `a large answer arrives whole`() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 % 251) & 0x7F }
        let answer = try await withServer(answer: { _ in Response(body: .bytes(bytes)) }) {
            try await RawClient.get($0, "/")
        }
        #expect(Array(answer.body.utf8) == bytes)
    }

    @Test func `pieces are sent as they are written`() async throws {
        let proceed = Signal<Void>()
        let stream = Response(
            body: .stream { writer in
                try await writer.write("first")
                _ = await proceed.next()
                try await writer.write("second")
            })
        let answer = try await withServer(answer: { _ in stream }) { port in
            try await RawClient.talk(to: port) { client in
                client.send(Self.request("GET"))
                let first = try client.receive(through: "first")
                proceed.send(())
                return first + (try client.receiveAll())
            }
        }
        #expect(answer.body == "5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")
    }

    @Test func `an old client gets a stream up to the end of the connection`() async throws {
        let stream = Response(body: .stream { try await $0.write("all of it") })
        let answer = try await withServer(answer: { _ in stream }) {
            try await RawClient.exchange($0, Self.request("GET", version: "1.0"))
        }
        #expect(answer.body == "all of it")
    }

    private struct SourceFailed: Error {}

    @Test func `a failed stream has no proper end`() async throws {
        let stream = Response(
            body: .stream { writer in
                try await writer.write("half")
                throw SourceFailed()
            })
        let answer = try await withServer(answer: { _ in stream }) { try await RawClient.get($0, "/") }
        #expect(answer.body == "4\r\nhalf\r\n")
    }

    @Test func `a failed stream is reset where only the end of the connection marks its end`() async throws {
        let proceed = Signal<Void>()
        let stream = Response(
            body: .stream { writer in
                try await writer.write("half")
                _ = await proceed.next()
                throw SourceFailed()
            })
        let last = try await withServer(answer: { _ in stream }) { port in
            try await RawClient.talk(to: port) { client in
                client.send(Self.request("GET", version: "1.0"))
                _ = try client.receive(through: "half")
                proceed.send(())
                return try client.receive()
            }
        }
        #expect(last == nil)
    }

    @Test func `a producer waits for a slow reader`() async throws {
        let written = Signal<Int>()
        let piece = [UInt8](repeating: 120, count: 1_000_000)
        let stream = Response(
            body: .stream { writer in
                for index in 0..<64 {
                    try await writer.write(piece)
                    written.send(index)
                }
            })
        let size = try await withServer(answer: { _ in stream }) { port in
            let proceed = ThreadSignal()
            let download = Task {
                try await RawClient.talk(to: port) { client in
                    client.send(Self.request("GET"))
                    proceed.wait()
                    return try client.receiveAll().utf8.count
                }
            }
            var pieces = 0
            while await written.next(within: .milliseconds(300)) != nil { pieces += 1 }
            #expect(pieces < 40)
            proceed.signal()
            return try await download.value
        }
        #expect(size > 64_000_000)
    }
}
