import HTTPServer

/// How an answer goes out: whole, as a stream, or broken on the way.
struct Delivery: Sendable {
    let message: MessageJSON
    let dialect: Dialect
    let fault: Fault.Kind?
    let headers: Headers
    let latency: LatencyModel
    /// Milliseconds.
    let stall: Int64
    let ping: Int64
    let clock: SimulatorClock

    /// A connection that closes instead of answering.
    static let broken = {
        var response = Response()
        response.breakage = .reset
        return response
    }()

    struct Broken: Error {}

    func plain() -> Response {
        PlainBody(
            bytes: dialect.body(of: message), fault: fault, headers: headers, stall: stall, clock: clock
        ).response()
    }

    /// `abandoned` is called when the caller hangs up before the end.
    func stream(abandoned: @escaping @Sendable () -> Void) -> Response {
        if fault == .dropAfter { return Self.broken }
        var response = response(
            .stream { writer in
                do {
                    try await self.send(self.faulty(dialect.pieces(of: message)), writer)
                } catch {
                    if !(error is Broken) { abandoned() }
                    throw error
                }
            })
        response.headers["content-type"] = "text/event-stream; charset=utf-8"
        response.headers.add("cache-control", "no-cache")
        return response
    }

    private func response(_ body: Response.Body) -> Response {
        Response(status: 200, headers: headers, body: body)
    }

    /// The events that a fault leaves.
    private func faulty(_ pieces: [EventStream.Piece]) -> [EventStream.Piece] {
        let half = Array(pieces.prefix(max(1, pieces.count / 2)))
        switch fault {
        case .empty: return []
        case .earlyEnd: return Array(pieces.dropLast())
        case .errorEvent: return half + [EventStream.Piece(bytes: dialect.error(APIError(status: 529)))]
        case .malformed:
            return half + [EventStream.Piece(bytes: dialect.brokenEvent)] + pieces.dropFirst(half.count)
        case .truncate: return half
        default: return pieces
        }
    }

    private func send(_ pieces: [EventStream.Piece], _ writer: ResponseWriter) async throws {
        switch fault {
        case .stallBody:
            try await Self.stall(amid: pieces.flatMap(\.bytes), writer, clock, for: stall)
        case .drip: try await Self.drip(pieces.flatMap(\.bytes), writer, clock)
        case .truncate:
            try await pace(pieces, writer)
            throw Broken()
        default: try await pace(pieces, writer)
        }
    }

    /// Each piece when its tokens are written, with pings in long waits; all at once if writing takes no time.
    private func pace(_ pieces: [EventStream.Piece], _ writer: ResponseWriter) async throws {
        guard latency.outputRate > 0 else { return try await writer.write(pieces.flatMap(\.bytes)) }
        for piece in pieces {
            var wait = latency.writing(piece.tokens)
            while wait > ping {
                try await clock.sleep(ping)
                try await writer.write(dialect.ping)
                wait -= ping
            }
            if wait > 0 { try await clock.sleep(wait) }
            var piece = piece
            piece.stamp(clock.uptime())
            try await writer.write(piece.bytes)
        }
    }

    /// The first half, and then nothing for so many milliseconds.
    static func stall(
        amid bytes: [UInt8], _ writer: ResponseWriter, _ clock: SimulatorClock, for time: Int64
    ) async throws {
        try await writer.write(Array(bytes.prefix(max(1, bytes.count / 2))))
        try await clock.sleep(time)
        throw Broken()
    }

    /// 64 bytes a second.
    static func drip(_ bytes: [UInt8], _ writer: ResponseWriter, _ clock: SimulatorClock) async throws {
        for start in stride(from: 0, to: bytes.count, by: 16) {
            try await writer.write(Array(bytes[start..<min(start + 16, bytes.count)]))
            try await clock.sleep(250)
        }
    }
}
