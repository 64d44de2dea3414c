import HTTPServer
import Testing

@Suite struct RequestTests {
    @Test(arguments: [
        ("/", ""), ("/v1/jobs", "v1|jobs"), ("/v1/jobs/", "v1|jobs|"), ("/a//b", "a||b"),
        ("/a%2Fb/c", "a/b|c"),
        ("/caf%C3%A9", "café"), ("/%E2%82%AC%20x", "€ x"), ("/a+b", "a+b"), ("http://host:80/v1/x", "v1|x"),
        ("/a%3Fb", "a?b"), ("/a%25b", "a%b"), ("/%2e%2E/x", "..|x"),
    ])
    func `a path is split before it is decoded`(target: String, path: String) async throws {
        let answer = try await withServer(answer: echo) { try await RawClient.get($0, target) }
        #expect(answer.status == 200)
        #expect(answer.body == "GET \(path) ? 0")
    }

    @Test(arguments: [
        "/a%00b", "/a%zz", "/a%4", "/a%", "/%ff", "/%C3", "/\u{1}%00", "nopath", "/x?a=%00", "/x?%g1=2",
        "/x?a=%ff",
    ])
    func `what cannot be decoded is refused`(target: String) async throws {
        let answer = try await withServer(answer: echo) { try await RawClient.get($0, target) }
        #expect(answer.status == 400)
        #expect(answer.contains("request-id: req_"))
    }

    @Test func `a query is decoded pair by pair`() async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.get($0, "/x?a=1&b=two+words&c=%26%3D%2B&d&=e&&a=2")
        }
        #expect(answer.body == "GET x ?a=1&b=two words&c=&=+&d=&=e&a=2 0")
    }

    @Test func `a NUL in the request line hides nothing`() async throws {
        let answer = try await withServer(answer: echo) { try await RawClient.get($0, "/public\0/private") }
        #expect(answer.status == 400)
    }

    @Test func `white space after a header's value is no part of it`() async throws {
        let echoKey: @Sendable (Request) async -> Response = { request in
            Response(status: 200, text: "“\(request.head.headers["x-api-key"] ?? "")”")
        }
        let answer = try await withServer(answer: echoKey) {
            try await RawClient.exchange(
                $0, "GET / HTTP/1.1\r\nhost: h\r\nx-api-key:  se cret \t\r\nconnection: close\r\n\r\n")
        }
        #expect(answer.contains("“se cret”"))
    }

    @Test(arguments: ["PATCH", "DELETE", "OPTIONS", "BREW", "get"])
    func `any method reaches the handler`(method: String) async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange(
                $0, "\(method) /pot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        }
        #expect(answer.body == "\(method) pot ? 0")
    }

    @Test(arguments: [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length : 3\r\n", "X-A: a\rb\r\n", "B(d: 1\r\n",
    ])
    func `headers that another server could read otherwise are refused`(fields: String) async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange($0, "POST / HTTP/1.1\r\nHost: x\r\n\(fields)\r\nabc")
        }
        #expect(answer.status == 400)
        #expect(!answer.contains("POST"))
    }

    @Test func `headers are found whatever their case`() async throws {
        let answer = try await withServer(answer: { Response(text: $0.head.headers["X-API-Key"] ?? "none") })
        {
            try await RawClient.exchange(
                $0, "GET / HTTP/1.1\r\nHost: x\r\nx-aPi-key: secret\r\nConnection: close\r\n\r\n")
        }
        #expect(answer.body == "secret")
    }

    @Test func `headers above the limit are refused`() async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange(
                $0,
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: \(String(repeating: "y", count: 17_000))\r\n\r\n"
            )
        }
        #expect(answer.status == 431)
        #expect(answer.contains("request-id: req_"))
    }

    @Test func `headers beyond all measure are refused too`() async throws {
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange(
                $0, "GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "y", count: 100_000))\r\n\r\n")
        }
        // The rest of the headers may be in flight still, and the reset they cause may overtake the answer.
        #expect(answer.status == 431 || answer.isEmpty)
    }

    @Test func `requests on one connection are answered in order`() async throws {
        let request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
        let last = "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        let answer = try await withServer(answer: echo) {
            try await RawClient.exchange($0, request + request + last)
        }
        #expect(answer.split(separator: "GET ").count == 4)
        #expect(answer.hasSuffix("GET b ? 0"))
    }

    @Test func `an address is told without its port`() async throws {
        let answer = try await withServer(answer: { Response(text: $0.head.remoteAddress) }) {
            try await RawClient.get($0, "/")
        }
        #expect(answer.body == "127.0.0.1")
    }
}
