import CMicroHTTPD

/// Copies a request's header fields out of MHD's memory, and finds what would make its end ambiguous.
///
/// MHD takes what it understands and ignores the rest; a proxy before it may understand it otherwise, and one
/// request could be smuggled inside another's body (RFC 9112 §11.2). So everything doubtful is refused.
struct HeadReader {
    private(set) var headers: [Headers.Field] = []
    private(set) var problem: String?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var expectsContinue = false
    private var hasHost = false
    private var layout: HeadLayout

    /// `length` is the target's, as it was sent.
    init?(_ connection: OpaquePointer, _ call: CallArguments, target: RequestTarget, length: Int) {
        guard let method = call.method, let url = call.url, let version = call.version else { return nil }
        layout = HeadLayout(method: method, target: url, length: length, version: version)
        headers.reserveCapacity(8)
        withUnsafeMutablePointer(to: &self) { reader in
            _ = MHD_get_connection_values_n(connection, .HEADER_KIND, takeField, reader)
        }
        layout.finish(size: cmhd_header_size(connection))
        let word = UnsafeRawBufferPointer(start: method, count: strlen(method))
        if !word.allSatisfy(isTokenCharacter) || target.hasControl {
            problem = "the request line has an invalid character"
        }
        if isChunked && contentLength != nil { problem = "both content-length and transfer-encoding" }
        // RFC 9112 §3.2
        if !hasHost && strcmp(version, "HTTP/1.0") != 0 { problem = problem ?? "the header host is missing" }
        if layout.isBroken {
            problem =
                problem
                ?? "a line that does not end in CRLF or goes on in the next, or a NUL or a space too many"
        }
    }

    fileprivate mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if let name = name.baseAddress, let start = value.baseAddress {
            layout.take(name: name, value: start, length: value.count)
        }
        guard !name.isEmpty, name.allSatisfy(isTokenCharacter) else {
            return problem = "a header name has an invalid character"
        }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            return problem = "a header value has a control character"
        }
        let field = (
            name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self)
        )
        // White space around a value is no part of it (RFC 9110 §5.5); MHD removes what comes before. What frames the
        // message is judged below as it was sent: another server may read it so.
        let end = value.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? 0
        headers.append((name: field.name, value: String(decoding: value[..<end], as: UTF8.self)))
        switch name.count {
        case 4 where equalIgnoringCase(field.name, "host"):
            if hasHost { problem = "more than one host" }
            if !field.value.utf8.allSatisfy(isHostCharacter) { problem = "a host with an invalid character" }
            hasHost = true
        case 6 where equalIgnoringCase(field.name, "expect"): expectsContinue = true
        case 14 where equalIgnoringCase(field.name, "content-length"):
            if contentLength != nil { problem = "more than one content-length" }
            contentLength = Int(field.value) ?? .max
        case 17 where equalIgnoringCase(field.name, "transfer-encoding"):
            if isChunked || !equalIgnoringCase(field.value, "chunked") {
                problem = "a transfer-encoding other than chunked"
            }
            isChunked = true
        default: break
        }
    }
}

private let takeField: MHD_KeyValueIteratorN = { reader, _, name, nameSize, value, valueSize in
    reader?.assumingMemoryBound(to: HeadReader.self).pointee.take(
        name: UnsafeRawBufferPointer(start: name, count: nameSize),
        value: UnsafeRawBufferPointer(start: value, count: valueSize))
    return .YES
}

/// "tchar" of RFC 9110 §5.6.2.
private func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x7C, 0x7E, 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E: true
    default: false
    }
}

/// What a name or an address and a port are made of (RFC 3986 §3.2.2), and the space that may surround a value.
private func isHostCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3B, 0x41...0x5B, 0x5D, 0x5F, 0x61...0x7A, 0x7E, 0x20, 0x21, 0x24...0x2E, 0x3D, 0x09:
        byte != 0x2F
    default: false
    }
}
