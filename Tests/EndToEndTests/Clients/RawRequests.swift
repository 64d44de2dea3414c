/// What an HTTP client would not send: a row says which bytes come, and what becomes of them.
///
/// After them comes a request that makes a job. Where the row's end is not beyond doubt, that job must not be made: before a
/// proxy that saw another end, it would be somebody else's request (RFC 9112 §11.2).
struct RawRequest {
    let name: String
    let bytes: [UInt8]
    /// The statuses of the answers, in order; those to the row itself only.
    let answers: [Int]
    let speaker: Speaker
    let next: Next

    /// Who writes the answers that are refusals.
    enum Speaker {
        /// As problems.
        case renga
        /// libmicrohttpd, before it asks: as a page. It may be lost where bytes are still on their way.
        case library
    }

    /// What becomes of the request that follows.
    enum Next {
        case answered
        /// The connection ends before it.
        case unread
        /// Its sender ends its own side: after all of it, or in the middle.
        case answeredToHalfClosed, cut
    }

    init(
        _ name: String, _ bytes: String, _ answers: [Int], by speaker: Speaker = .renga, next: Next = .unread
    ) {
        self.name = name
        // One byte a scalar, so that a row can hold any.
        self.bytes = bytes.unicodeScalars.map { UInt8($0.value) }
        self.answers = answers
        self.speaker = speaker
        self.next = next
    }

    static let all = lengths + encodings + chunks + lines + hosts + requestLines + sizes + orders

    private static let host = "host: x\r\nx-api-key: sesame\r\n"
    private static let get = "GET /health HTTP/1.1\r\n\(host)"
    private static let post = "POST /v1/jobs HTTP/1.1\r\n\(host)"
    private static let body = #"{"prompt":"x"}"#
    private static let chunked = "\(post)transfer-encoding: chunked\r\n\r\n"
    private static let whole = "e\r\n\(body)\r\n0\r\n\r\n"

    private static let lengths = [
        RawRequest(
            "a length and chunks", "\(post)content-length: 25\r\ntransfer-encoding: chunked\r\n\r\n\(whole)",
            [400]),
        RawRequest(
            "chunks and a length", "\(post)transfer-encoding: chunked\r\ncontent-length: 25\r\n\r\n\(whole)",
            [400]),
        RawRequest(
            "lengths that differ", "\(post)content-length: 14\r\ncontent-length: 0\r\n\r\n\(body)", [400]),
        RawRequest(
            "lengths that differ, the first 0", "\(post)content-length: 0\r\ncontent-length: 14\r\n\r\n",
            [400]),
        RawRequest("a length twice", "\(post)content-length: 14\r\ncontent-length: 14\r\n\r\n\(body)", [400]),
        RawRequest("a list of lengths", "\(post)content-length: 14, 14\r\n\r\n\(body)", [400], by: .library),
        RawRequest("a negative length", "\(post)content-length: -14\r\n\r\n\(body)", [400], by: .library),
        RawRequest("a length with a plus", "\(post)content-length: +14\r\n\r\n\(body)", [400], by: .library),
        RawRequest("a hexadecimal length", "\(post)content-length: 0xe\r\n\r\n\(body)", [400], by: .library),
        RawRequest(
            "a length of two numbers", "\(post)content-length: 1 4\r\n\r\n\(body)", [400], by: .library),
        RawRequest("a length of nothing", "\(post)content-length: \r\n\r\n\(body)", [400], by: .library),
        RawRequest(
            "a length of 2⁶⁴", "\(post)content-length: 18446744073709551616\r\n\r\n\(body)", [413],
            by: .library),
        RawRequest("a length with a NUL", "\(post)content-length: 0\u{0}14\r\n\r\n", [400]),
        RawRequest("a length on two lines", "\(post)content-length: 0\r\n 14\r\n\r\n", [400]),
        RawRequest("a length behind a bare CR", "\(post)x: a\rcontent-length: 14\r\n\r\n", [400]),
        RawRequest("a length behind a bare LF", "\(post)x: a\ncontent-length: 14\r\n\r\n\(body)", [400]),
        RawRequest(
            "a length after space", "POST /v1/jobs HTTP/1.1\r\n content-length: 14\r\n\(host)\r\n\(body)",
            [400]),
        // The field whose line goes on is the key.
        RawRequest(
            "a length on the line of another field", "\(post) content-length: 14\r\n\r\n\(body)", [401]),
        RawRequest("a length before space", "\(post)content-length : 14\r\n\r\n\(body)", [400]),
    ]

    private static let encodings =
        [
            "xchunked", "chunked, identity", "identity, chunked", "identity", "gzip", "chunked, chunked",
            "chunked;q=1",
            "\u{B}chunked", "\"chunked\"", "chunked\r\n , identity", "\r\n chunked", "chun\u{0}ked",
            "chunked ", "",
        ].map {
            RawRequest("the encoding “\($0)”", "\(post)transfer-encoding: \($0)\r\n\r\n\(whole)", [400])
        } + [
            RawRequest(
                "two encodings",
                "\(post)transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n\(whole)", [400]),
            RawRequest(
                "an encoding before space", "\(post)transfer-encoding : chunked\r\n\r\n\(whole)", [400]),
            RawRequest(
                "an encoding after a bare LF", "\(post)x: a\ntransfer-encoding: chunked\r\n\r\n\(whole)",
                [400]),
            // Nothing is read behind chunks, whoever reads their ends otherwise.
            RawRequest("chunks", chunked + whole, [202]),
            RawRequest(
                "an encoding after two spaces", "\(post)transfer-encoding:  chunked\r\n\r\n\(whole)", [202]),
            RawRequest(
                "an encoding after a tab", "\(post)transfer-encoding:\tChunked\r\n\r\n\(whole)", [202]),
            RawRequest(
                "chunks in HTTP/1.0",
                "POST /v1/jobs HTTP/1.0\r\n\(host)connection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n\(whole)",
                [202]),
        ]

    private static let chunks = [
        RawRequest("a LF after a chunk's size", "\(chunked)e\n\(body)\r\n0\r\n\r\n", [202]),
        RawRequest("a LF after a chunk", "\(chunked)e\r\n\(body)\n0\r\n\r\n", [202]),
        RawRequest("a LF after the last chunk", "\(chunked)e\r\n\(body)\r\n0\n\n", [202]),
        RawRequest("a LF in a chunk's extension", "\(chunked)e;a\n\(body)\r\n0;b\n\r\n", [202]),
        RawRequest(
            "a trailer of a length", "\(chunked)e\r\n\(body)\r\n0\r\ncontent-length: 9\r\n\r\n", [202]),
        RawRequest("garbage after the last chunk", "\(chunked)\(whole)garbage\r\n\r\n", [202]),
        RawRequest(
            "a trailer that is none", "\(chunked)e\r\n\(body)\r\n0\r\ngarbage\r\n\r\n", [400], by: .library),
        RawRequest(
            "a chunk of 2⁶⁴", "\(chunked)10000000000000000\r\n\(body)\r\n0\r\n\r\n", [413], by: .library),
        RawRequest("a negative chunk", "\(chunked)-e\r\n\(body)\r\n0\r\n\r\n", [400], by: .library),
        RawRequest("a chunk of 0xe", "\(chunked)0xe\r\n\(body)\r\n0\r\n\r\n", [400], by: .library),
        RawRequest(
            "a chunk's size before space", "\(chunked)e \r\n\(body)\r\n0\r\n\r\n", [400], by: .library),
        RawRequest("a chunk without a size", "\(chunked)\r\n\(body)\r\n0\r\n\r\n", [400], by: .library),
        RawRequest("a chunk longer than it says", "\(chunked)1\r\n\(body)\r\n0\r\n\r\n", [400], by: .library),
        RawRequest(
            "a bare CR after a chunk's size", "\(chunked)e\r\(body)\r\n0\r\n\r\n", [400], by: .library),
    ]

    private static let lines = [
        RawRequest("LF for CRLF", "GET /health HTTP/1.1\nhost: x\n\n", [400]),
        RawRequest("a LF after the request line", "GET /health HTTP/1.1\n\(host)\r\n", [400]),
        RawRequest("an end of LF LF", "\(get)x: a\n\n", [400]),
        RawRequest("an end of LF CRLF", "\(get)x: a\n\r\n", [400]),
        RawRequest("an end of CRLF LF", "\(get)x: a\r\n\n", [400]),
        RawRequest("a bare CR", "\(get)x: a\rb\r\n\r\n", [400]),
        RawRequest("a NUL in a value", "\(get)x: a\u{0}b\r\n\r\n", [400]),
        RawRequest("a NUL before a value", "\(get)x:\u{0}b\r\n\r\n", [400]),
        RawRequest("a NUL before a name", "\(get)\u{0}x: a\r\n", [400]),
        RawRequest("a NUL in a name", "\(get)x\u{0}y: a\r\n\r\n", [400], by: .library),
        RawRequest("a value on two lines", "\(get)x: a\r\n\tb\r\n\r\n", [400]),
        RawRequest("space before the first name", "GET /health HTTP/1.1\r\n x: a\r\n\(host)\r\n", [400]),
        RawRequest("a tab before the colon", "\(get)x\t: a\r\n\r\n", [400]),
        RawRequest("a name of nothing", "\(get): a\r\n\r\n", [400]),
        RawRequest("a line without a colon", "\(get)abc\r\n\r\n", [400], by: .library),
        RawRequest("space around values", "\(get)x: \t a \r\ny:\t\r\nz:\r\n\r\n", [200], next: .answered),
        RawRequest("a name in capitals", "GET /health HTTP/1.1\r\nHOST:x\r\n\r\n", [200], next: .answered),
        RawRequest("empty lines before it", "\r\n\r\n\(get)\r\n", [200], next: .answered),
    ]

    private static let hosts = [
        RawRequest("no host", "GET /health HTTP/1.1\r\n\r\n", [400]),
        RawRequest("no host in HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", [200]),
        RawRequest("two hosts", "\(get)host: y\r\n\r\n", [400]),
        RawRequest("a host that is none", "GET /health HTTP/1.1\r\nhost: x/y@z\r\n\r\n", [400]),
        RawRequest("a host of nothing", "GET /health HTTP/1.1\r\nhost:\r\n\r\n", [200], next: .answered),
        RawRequest(
            "a target with another host", "GET http://other/health HTTP/1.1\r\n\(host)\r\n", [200],
            next: .answered),
    ]

    private static let requestLines = [
        RawRequest("HTTP/0.9", "GET /health\r\n", [400], by: .library),
        RawRequest("HTTP/0.9 with an end", "GET /health HTTP/0.9\r\n\r\n", [505], by: .library),
        RawRequest("HTTP/1.2", "GET /health HTTP/1.2\r\n\(host)\r\n", [200], next: .answered),
        RawRequest("HTTP/3.0", "GET /health HTTP/3.0\r\n\(host)\r\n", [505], by: .library),
        RawRequest("a version in small letters", "GET /health http/1.1\r\n\(host)\r\n", [400], by: .library),
        RawRequest(
            "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}", [505],
            by: .library),
        RawRequest("an upgrade", "\(get)connection: upgrade\r\nupgrade: h2c\r\n\r\n", [200], next: .answered),
        RawRequest("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\r\n", [], by: .library),
        RawRequest("CONNECT", "CONNECT other:443 HTTP/1.1\r\n\(host)\r\n", [400], next: .answered),
        RawRequest("TRACE", "TRACE /health HTTP/1.1\r\n\(host)\r\n", [405], next: .answered),
        RawRequest("OPTIONS *", "OPTIONS * HTTP/1.1\r\n\(host)\r\n", [405], next: .answered),
        RawRequest("a method that is no word", "G\u{1}T /health HTTP/1.1\r\n\(host)\r\n", [400]),
        RawRequest("two spaces", "GET  /health HTTP/1.1\r\n\(host)\r\n", [400]),
        RawRequest("a space in a target", "GET /health x HTTP/1.1\r\n\(host)\r\n", [400]),
        RawRequest("a space at the end", "GET /health HTTP/1.1 \r\n\(host)\r\n", [400], by: .library),
        RawRequest("tabs for spaces", "GET\t/health\tHTTP/1.1\r\n\(host)\r\n", [], by: .library),
        RawRequest("a CR in a target", "GET /health\rx HTTP/1.1\r\n\(host)\r\n", [400]),
        RawRequest("a NUL in a target", "GET /health\u{0}x HTTP/1.1\r\n\(host)\r\n", [400]),
        // libmicrohttpd takes such a line for an empty one.
        RawRequest(
            "a NUL before a request line", "\u{0}GET /health HTTP/1.1\r\n\(get)\r\n", [200], next: .answered),
    ]

    private static func x(_ count: Int) -> String { String(repeating: "x", count: count) }

    private static let sizes = [
        RawRequest(
            "a target of 20,000 bytes", "GET /\(x(20_000)) HTTP/1.1\r\n\(host)\r\n", [431], next: .answered),
        RawRequest(
            "a target of 100,000 bytes", "GET /\(x(100_000)) HTTP/1.1\r\n\(host)\r\n", [414], by: .library),
        RawRequest("a header of 20,000 bytes", "\(get)x: \(x(20_000))\r\n\r\n", [431], next: .answered),
        RawRequest("a header of 100,000 bytes", "\(get)x: \(x(100_000))\r\n\r\n", [431], by: .library),
        RawRequest(
            "1,000 headers", get + String(repeating: "x: a\r\n", count: 1000) + "\r\n", [431], by: .library),
        RawRequest(
            "trailers of 100,000 bytes", "\(chunked)e\r\n\(body)\r\n0\r\nx: \(x(100_000))\r\n\r\n", [431],
            by: .library),
    ]

    private static let orders = [
        RawRequest(
            "a body that nobody wants", "\(get)content-length: 14\r\n\r\n\(body)", [200], next: .answered),
        RawRequest(
            "60 requests at once",
            String(
                repeating:
                    "\(get)\r\n\(post)content-length: 14\r\n\r\n\(body)GET /v1/jobs/a/b HTTP/1.1\r\n\(host)\r\n",
                count: 20),
            (0..<20).flatMap { _ in [200, 202, 404] }, next: .answered),
        RawRequest("a request to the last of which one side ended", "", [], next: .answeredToHalfClosed),
        RawRequest("half a request", "", [], next: .cut),
        RawRequest("a request and half of one", "\(get)\r\n", [200], next: .cut),
    ]
}
