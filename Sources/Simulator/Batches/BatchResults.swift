import HTTPServer

/// The results of a batch on their way out: written line by line, and broken as a fault has it.
struct BatchResults: Sendable {
    let batch: MessageBatch
    let fault: Fault.Kind?
    /// Milliseconds.
    let stall: Int64
    let clock: SimulatorClock

    private static let chunk = 64 * 1024

    func response(_ headers: Headers) -> Response {
        switch fault {
        case .dropAfter: return Delivery.broken
        case .empty: return Response(status: 200, headers: headers)
        default: return Response(status: 200, headers: headers, body: .stream { try await self.send($0) })
        }
    }

    private func send(_ writer: ResponseWriter) async throws {
        let rows = batch.shuffled
        let half = rows.count / 2
        switch fault {
        case .earlyEnd: try await send(rows[..<half], writer)
        case .truncate, .stallBody:
            try await send(rows[..<half], writer)
            let line = batch.line(rows[half])
            try await writer.write(Array(line.prefix(line.count / 2)))
            if fault == .stallBody { try await clock.sleep(stall) }
            throw Delivery.Broken()
        case .malformed:
            try await send(rows[..<half], writer)
            let line = batch.line(rows[half])
            try await writer.write(line.prefix(line.count / 2) + [UInt8(ascii: "\n")])
            try await send(rows[(half + 1)...], writer)
        case .drip: for row in rows { try await Delivery.drip(batch.line(row), writer, clock) }
        default: try await send(rows[...], writer)
        }
    }

    private func send(_ rows: ArraySlice<BatchRow>, _ writer: ResponseWriter) async throws {
        var bytes: [UInt8] = []
        for row in rows {
            bytes += batch.line(row)
            guard bytes.count >= Self.chunk else { continue }
            try await writer.write(bytes)
            bytes = []
        }
        if !bytes.isEmpty { try await writer.write(bytes) }
    }
}
