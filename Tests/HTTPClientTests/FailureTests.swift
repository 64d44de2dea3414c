import HTTPClient
import RawServer
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FailureTests {
    private let client = HTTPClient()

    @Test(arguments: [
        ("", HTTPClientError.Code.reset),
        ("HTTP/1.1 200 OK\r\nContent-Le", .truncated),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", .truncated),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", .truncated),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .truncated),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", .truncated),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nthree\r\n", .reset),
        ("SSH-2.0-OpenSSH_9.2\r\n", .protocolError),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345", .protocolError),
    ])
    func `an answer that ends early or is none is told apart`(answer: String, code: HTTPClientError.Code)
        async throws
    {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send(answer)
        }
        let error = await failure(of: client, .init(url: server.url, body: [1]))
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.maySent == true)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"])
    func `a reset is one, before the answer and within it`(answer: String) async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send(answer)
            peer.reset()
        }
        let error = await failure(of: client, .init(url: server.url, body: [1]))
        #expect(error?.code == .reset, "\(String(describing: error))")
        #expect(error?.maySent == true)
    }

    @Test func `an answer of an error status that breaks off is told as far as it came`() async throws {
        let server = ScriptedServer { peer in
            guard let request = peer.request() else { return }
            let status = request.target == "/busy" ? "529 Busy" : "200 OK"
            peer.send("HTTP/1.1 \(status)\r\nRetry-After: 7\r\nContent-Length: 9\r\n\r\n1234")
        }
        let busy = await failure(of: client, .init(url: server.url + "/busy", body: [1]))
        #expect(busy?.code == .truncated && busy?.beginning?.status == 529)
        #expect(busy?.beginning?.headers["retry-after"] == "7")
        #expect(busy?.beginning?.body == Array("1234".utf8))
        let cut = await failure(of: client, .init(url: server.url + "/well", body: [1]))
        #expect(cut?.code == .truncated && cut?.beginning == nil)
    }

    @Test func `a refused connection sent nothing`() async throws {
        let port = DeafPort()
        let error = await failure(of: client, .init(url: port.url, body: [1]))
        withExtendedLifetime(port) {}
        #expect(error?.code == .connect)
        #expect(error?.maySent == false)
    }

    @Test func `a name that cannot be resolved sent nothing`() async throws {
        // A label may have 63 letters: this fails without asking any server.
        let url = "http://\(String(repeating: "a", count: 64)).invalid/"
        let error = await failure(of: client, .init(url: url))
        #expect(error?.code == .resolve)
        #expect(error?.maySent == false)
    }

    @Test(arguments: ["no-such-host.invalid", "\(String(repeating: "b", count: 64)).invalid"])
    func `a name that cannot be resolved fails alike each time`(_ host: String) async throws {
        for url in ["http://\(host)/", "https://\(host)/"] {
            for _ in 0..<4 {
                let error = await failure(of: client, .init(url: url, body: [1]))
                #expect(error?.code == .resolve, "\(String(describing: error))")
                #expect(error?.maySent == false)
                let streamed = await #expect(throws: HTTPClientError.self) {
                    _ = try await client.stream(.init(url: url, body: [1]))
                }
                #expect(streamed?.code == .resolve, "\(String(describing: streamed))")
            }
        }
    }

    @Test func `a server without TLS sent nothing`() async throws {
        let server = ScriptedServer { peer in
            peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.untilClosed()
        }
        let error = await failure(of: client, .init(url: "https://127.0.0.1:\(server.port)/"))
        #expect(error?.code == .tls)
        #expect(error?.maySent == false)
    }

    @Test func `a body above the limit breaks the call off, compressed or not`() async throws {
        let server = ScriptedServer { peer in
            while let request = peer.request() {
                let isPlain = request.target == "/plain"
                let headers = isPlain ? [] : ["Content-Encoding: gzip"]
                peer.answer("200 OK", headers, isPlain ? Array(repeating: 0, count: 5000) : compressedVerses)
            }
        }
        for path in ["/plain", "/gzip"] {
            let error = await failure(of: client, .init(url: server.url + path, maxResponseBytes: 4999))
            #expect(error?.code == .tooLarge)
        }
        let exact = try await client.send(.init(url: server.url + "/plain", maxResponseBytes: 5000))
        #expect(exact.body.count == 5000)
    }

    @Test func `a head without end breaks the call off`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\n")
            while peer.send("X: \(String(repeating: "y", count: 1000))\r\n") {}
        }
        #expect(await failure(of: client, .init(url: server.url))?.code == .protocolError)
    }
}
