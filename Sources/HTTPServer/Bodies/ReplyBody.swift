import CMicroHTTPD

/// A `Response` as MHD wants it.
enum ReplyBody {
    /// Bodies above this are sent from the response's own memory instead of a copy.
    private static let copyLimit = 64 * 1024

    /// A whole answer; a stream is taken as an empty body.
    static func whole(_ response: Response, id: String?, closes: Bool) -> OpaquePointer? {
        guard case .bytes(let bytes) = response.body else {
            return finished(
                MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT), response, id, closes)
        }
        let created =
            if bytes.count <= copyLimit {
                bytes.withUnsafeBytes {
                    // MHD copies, and takes a mutable pointer only because of its other modes.
                    MHD_create_response_from_buffer(
                        $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
                }
            } else {
                MHD_create_response_from_callback(
                    UInt64(bytes.count), copyLimit, readBytes,
                    Unmanaged.passRetained(LargeBody(bytes)).toOpaque(), releaseBody)
            }
        return finished(created, response, id, closes)
    }

    /// An answer that announces more than it has.
    static func short(
        _ response: Response, of length: Int, id: String?
    ) -> OpaquePointer? {
        guard case .bytes(let bytes) = response.body else { return nil }
        let created = MHD_create_response_from_callback(
            UInt64(max(length, bytes.count + 1)), copyLimit, readBytes,
            Unmanaged.passRetained(LargeBody(bytes)).toOpaque(), releaseBody)
        return finished(created, response, id, true)
    }

    /// The headers of a stream for HEAD: no length, and the end of the connection.
    ///
    /// MHD 0.9.75 sends a chunked body's last chunk even after HEAD; in its 1.0 mode it does not.
    static func headOfStream(_ response: Response, id: String?) -> OpaquePointer? {
        let created = MHD_create_response_from_callback(
            cmhd_size_unknown, 1024, { _, _, _, _ in -1 }, nil, nil)
        if let created { cmhd_answer_as_http_1_0(created) }
        return finished(created, response, id, true)
    }

    /// An answer whose body a task produces.
    static func streaming(
        _ response: Response, source: StreamSource, id: String?, closes: Bool
    ) -> OpaquePointer? {
        let created = MHD_create_response_from_callback(
            cmhd_size_unknown, 16 * 1024, readStream, Unmanaged.passRetained(source).toOpaque(), releaseSource
        )
        return finished(created, response, id, closes)
    }

    private static func finished(
        _ created: OpaquePointer?, _ response: Response, _ id: String?, _ closes: Bool
    ) -> OpaquePointer? {
        guard let created else { return nil }
        for (name, value) in response.headers.fields where !isOwn(name) {
            // MHD refuses empty names and values, and CR and LF in either: such a field is left out.
            _ = MHD_add_response_header(created, name, value)
        }
        if let id, response.headers["request-id"] == nil {
            _ = MHD_add_response_header(created, "request-id", id)
        }
        if closes { _ = MHD_add_response_header(created, "connection", "close") }
        return created
    }

    /// The same answer as bytes, for sending past MHD; the connection ends with it.
    static func bytes(_ response: Response, id: String?) -> [UInt8] {
        let status = UInt32(response.status)
        let reason = MHD_get_reason_phrase_for(status).map { String(cString: $0) } ?? ""
        var text = "HTTP/1.1 \(status) \(reason)\r\nconnection: close\r\n"
        for (name, value) in response.headers.fields where !isOwn(name) && isOneLine(name) && isOneLine(value)
        {
            text += "\(name): \(value)\r\n"
        }
        if let id, response.headers["request-id"] == nil { text += "request-id: \(id)\r\n" }
        let body: [UInt8] = if case .bytes(let bytes) = response.body { bytes } else { [] }
        text += "content-length: \(body.count)\r\n\r\n"
        return Array(text.utf8) + body
    }

    private static func isOwn(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: equalIgnoringCase(name, "date")
        case 10: equalIgnoringCase(name, "connection")
        case 14: equalIgnoringCase(name, "content-length")
        case 17: equalIgnoringCase(name, "transfer-encoding")
        default: false
        }
    }

    private static func isOneLine(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 != 0x0D && $0 != 0x0A }
    }
}

private final class LargeBody {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}

private let readBytes: MHD_ContentReaderCallback = { body, position, destination, limit in
    guard let body, let destination else { return cmhd_end_with_error }
    let bytes = Unmanaged<LargeBody>.fromOpaque(body).takeUnretainedValue().bytes
    let count = min(limit, bytes.count - Int(position))
    // Only an answer that is short on purpose is asked for more than it has.
    guard count > 0 else { return cmhd_end_with_error }
    bytes.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(start: destination, count: count)
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(position)..<Int(position) + count]))
    }
    return count
}

private let releaseBody: MHD_ContentReaderFreeCallback = { body in
    if let body { Unmanaged<LargeBody>.fromOpaque(body).release() }
}

/// What MHD asks for the next bytes of a streaming answer.
final class StreamSource {
    private let loop: ServerLoop
    private let exchange: Exchange

    init(loop: ServerLoop, exchange: Exchange) {
        self.loop = loop
        self.exchange = exchange
    }

    fileprivate func read(into destination: UnsafeMutableRawBufferPointer) -> Int {
        switch exchange.output?.read(into: destination) {
        case .bytes(let count): return count
        case .end: return cmhd_end_of_stream
        case .starved:
            loop.suspend(exchange)
            return 0
        case .broken, nil:
            // A 1.0 client has no chunks and would take the end of the connection for the end of the answer.
            if exchange.isHTTP10 { exchange.connection.reset() }
            return cmhd_end_with_error
        }
    }
}

private let readStream: MHD_ContentReaderCallback = { source, _, destination, limit in
    guard let source, let destination else { return cmhd_end_with_error }
    return Unmanaged<StreamSource>.fromOpaque(source).takeUnretainedValue()
        .read(into: UnsafeMutableRawBufferPointer(start: destination, count: limit))
}

private let releaseSource: MHD_ContentReaderFreeCallback = { source in
    if let source { Unmanaged<StreamSource>.fromOpaque(source).release() }
}
