import CMicroHTTPD

/// Copies a request's header fields out of MHD's memory, and finds what would make its length ambiguous.
///
/// MHD takes what it understands and ignores the rest; a proxy before it may understand it otherwise, and one
/// request could be smuggled inside another's body (RFC 9112 §11.2). So everything doubtful is refused.
struct HeadReader {
    private(set) var headers: [Headers.Field] = []
    private(set) var problem: String?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var expectsContinue = false

    init(_ connection: OpaquePointer) {
        headers.reserveCapacity(8)
        withUnsafeMutablePointer(to: &self) { reader in
            _ = MHD_get_connection_values_n(connection, .HEADER_KIND, takeField, reader)
        }
        if isChunked && contentLength != nil { problem = "both content-length and transfer-encoding" }
    }

    fileprivate mutating func take(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard name.allSatisfy(isTokenCharacter) else {
            return problem = "a header name has an invalid character"
        }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            return problem = "a header value has a control character"
        }
        let field = (
            name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self)
        )
        headers.append(field)
        switch name.count {
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
