import HTTPClient
import RawServer
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ExchangeTests {
    private let client = HTTPClient()

    @Test func `a request arrives as it was given`() async throws {
        let server = ScriptedServer { peer in
            guard let request = peer.request() else { return }
            let isRight =
                request.head.hasPrefix("POST /v1/a%2Fb?q=1 HTTP/1.1\r\n") && request.has("x-api-key: k")
                && request.has("x-empty:") && request.has("content-type: application/json")
            peer.answer(isRight ? "200 OK" : "400 Bad", [], request.body)
        }
        let headers = [("x-api-key", "k"), ("x-empty", ""), ("content-type", "application/json")]
        let url = server.url + "/v1/a%2Fb?q=1"
        let response = try await client.send(.init(url: url, headers: headers, body: Array("{}".utf8)))
        #expect(response.status == 200)
        #expect(response.body == Array("{}".utf8))
    }

    @Test(arguments: ["GET", "HEAD", "DELETE", "PUT", "PATCH", "POST", "OPTIONS"])
    func `every method goes out by its name, without a body or a type of libcurl's making`(method: String)
        async throws
    {
        let server = ScriptedServer { peer in
            guard let request = peer.request() else { return }
            let isBare = !request.head.lowercased().contains("content-type") && request.body.isEmpty
            peer.answer(request.head.hasPrefix("\(method) /") && isBare ? "204 No Content" : "400 Bad")
        }
        #expect(try await client.send(.init(method: method, url: server.url + "/")).status == 204)
    }

    @Test func `header values are found in any case, all of them, in order`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.answer("429 Too Many Requests", ["Retry-After:  7 ", "X-A: 1", "x-a: 2", "Odd: a:b"])
        }
        let response = try await client.send(.init(url: server.url))
        #expect(response.status == 429)
        #expect(response.headers["retry-after"] == "7")
        #expect(response.headers.all("X-a") == ["1", "2"])
        #expect(response.headers["ODD"] == "a:b")
        #expect(response.headers["absent"] == nil)
    }

    @Test func `a large upload arrives whole and waits for no 100 Continue`() async throws {
        let body = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let server = ScriptedServer { peer in
            guard let request = peer.request() else { return }
            let isRight = request.body == body && !request.head.lowercased().contains("expect")
            peer.answer(isRight ? "200 OK" : "400 Bad")
        }
        #expect(try await client.send(.init(url: server.url, body: body)).status == 200)
    }

    @Test func `a compressed answer is undone`() async throws {
        let server = ScriptedServer { peer in
            guard let request = peer.request(), request.head.contains("gzip") else { return }
            peer.answer("200 OK", ["Content-Encoding: gzip"], compressedVerses)
        }
        let response = try await client.send(.init(url: server.url))
        #expect(response.body == Array(String(repeating: "verse ", count: 2000).utf8))
    }

    @Test func `informational answers are skipped and redirects are not followed`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            peer.answer("302 Found", ["Location: /elsewhere"])
        }
        let response = try await client.send(.init(url: server.url))
        #expect(response.status == 302)
        #expect(response.headers["link"] == nil)
    }

    @Test func `an answer of unknown length ends with its connection`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.0 200 OK\r\n\r\nall of it")
        }
        #expect(try await client.send(.init(url: server.url)).body == Array("all of it".utf8))
    }

    @Test func `trailers after a chunked body leave the headers alone`() async throws {
        let server = ScriptedServer { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: head\r\n\r\n")
            peer.send("3\r\nabc\r\n0\r\nX: trailer\r\n\r\n")
        }
        let response = try await client.send(.init(url: server.url))
        #expect(response.headers.all("x") == ["head"])
        #expect(response.body == Array("abc".utf8))
    }

    @Test(arguments: [("x", "a\r\nb: c"), ("x\n", "a"), ("", "a"), ("x y", "a")])
    func `a header that would break out of its line is refused unsent`(name: String, value: String)
        async throws
    {
        let error = await failure(of: client, .init(url: "http://127.0.0.1:1", headers: [(name, value)]))
        #expect(error?.code == .protocolError)
        #expect(error?.maySent == false)
    }

    @Test(arguments: ["ftp://127.0.0.1/x", "http://", "file:///etc/passwd", "nonsense:", "http://a b/"])
    func `an address that is none is refused unsent`(url: String) async throws {
        let error = await failure(of: client, .init(url: url))
        #expect(error?.code == .protocolError || error?.code == .resolve)
        #expect(error?.maySent == false)
    }
}

/// "verse " two thousand times, by gzip.
let compressedVerses: [UInt8] =
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 196, 49, 13, 0, 0, 8, 3, 48, 43, 152, 155, 1, 72, 208, 143, 12]
    + [
        158, 246, 232, 166, 39, 181, 182, 109, 219, 182, 109, 219, 182, 109, 219, 182, 109, 219, 182, 109,
        219,
    ]
    + [182, 109, 191, 126, 159, 43, 202, 172, 224, 46, 0, 0]

/// The error that a call ends with, nil if it succeeds.
func failure(of client: HTTPClient, _ request: HTTPRequest) async -> HTTPClientError? {
    do {
        _ = try await client.send(request)
        return nil
    } catch {
        return error as? HTTPClientError
    }
}
