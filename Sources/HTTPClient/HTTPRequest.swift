/// One call to make: what is sent, how long it may take, how much may come back.
package struct HTTPRequest: Sendable {
    package var method: String
    /// An absolute `http` or `https` address, already percent-encoded.
    package var url: String
    package var headers: [(String, String)]
    package var body: [UInt8]
    package var timeouts: Timeouts
    /// Bytes of body after decompression; one more fails the call with `tooLarge`.
    package var maxResponseBytes: Int
    /// Whether libcurl may send it once more when a kept connection ends without a byte of answer.
    ///
    /// Nearly always the server had closed an idle connection as we wrote, and has seen nothing; if a repetition
    /// must not go unnoticed, switch it off: such a call then fails with `reset`.
    package var mayRepeat: Bool

    package init(
        method: String = "POST",
        url: String,
        headers: [(String, String)] = [],
        body: [UInt8] = [],
        timeouts: Timeouts = Timeouts(),
        maxResponseBytes: Int = 32 << 20,
        mayRepeat: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeouts = timeouts
        self.maxResponseBytes = maxResponseBytes
        self.mayRepeat = mayRepeat
    }

    /// Seconds; `.infinity` switches one off (except `connect`, which then is five minutes).
    ///
    /// A model may think for minutes before its first byte, so nothing but `head` and `call` limits the time between
    /// the end of the upload and the first byte of the answer.
    package struct Timeouts: Sendable {
        /// Name lookup, TCP and TLS together, once a connection is free for the call.
        package var connect: Double
        /// The longest pause in the upload.
        package var write: Double
        /// The longest pause in the answer, from its first byte on; waiting for a slow reader does not count.
        package var idle: Double
        /// From the call of `send` or `stream` to the end of the answer's head, whatever comes of it before.
        ///
        /// It includes the wait for a free connection, as `call` does.
        package var head: Double
        /// From the call of `send` or `stream` to the last byte: nothing that a server sends makes it longer.
        package var call: Double

        package init(
            connect: Double = 10, write: Double = 30, idle: Double = 60, head: Double = 600,
            call: Double = 600
        ) {
            self.connect = connect
            self.write = write
            self.idle = idle
            self.head = head
            self.call = call
        }
    }
}

extension HTTPRequest {
    /// Scheme, host and port as written: calls alike in it share connections, and wait in one queue.
    var origin: String {
        let bytes = Array(url.utf8)
        var slashes = 0
        let end = bytes.firstIndex { byte in
            if byte == UInt8(ascii: "/") { slashes += 1 }
            return slashes == 3 || byte == UInt8(ascii: "?")
        }
        return String(decoding: bytes[..<(end ?? bytes.endIndex)], as: UTF8.self)
    }

    /// Whether it goes to this machine itself, by the address as written.
    var isLoopback: Bool {
        let authority = origin.split(separator: "/").dropFirst().first ?? ""
        if authority.hasPrefix("[::1]") { return true }
        let host = authority.prefix { $0 != ":" }
        let isDotted = host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (48...57).contains($0) }
        return host == "localhost" || (isDotted && host.hasPrefix("127."))
    }

    /// What makes this request unfit to be written on the wire, if anything does.
    ///
    /// libcurl writes header lines as they are given: a line break in one would be a header of the caller's
    /// making.
    var defect: String? {
        if method.isEmpty || !method.utf8.allSatisfy(isTokenByte) { return "the method is not a token" }
        if !url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) { return "the address has spaces or controls" }
        for (name, value) in headers {
            if name.isEmpty || !name.utf8.allSatisfy(isTokenByte) { return "a header's name is not a token" }
            let breaks = value.utf8.contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D }
            if breaks { return "the value of header \(name) has a line break or NUL" }
        }
        return nil
    }
}

/// RFC 9110 §5.6.2: a token is letters, digits and these marks.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
