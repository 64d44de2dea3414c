import HTTPServer

/// A whole answer on its way out, and what a fault makes of it.
struct PlainBody: Sendable {
    let bytes: [UInt8]
    let fault: Fault.Kind?
    let headers: Headers
    /// Milliseconds.
    let stall: Int64
    let clock: SimulatorClock

    func response() -> Response {
        switch fault {
        case .dropAfter: return Delivery.broken
        case .truncate:
            var response = response(.bytes(Array(bytes.prefix(bytes.count / 2))))
            response.breakage = .short(of: bytes.count)
            return response
        case .malformed: return response(.bytes(Array(bytes.dropLast(bytes.count / 3))))
        case .empty, .earlyEnd: return response(.bytes([]))
        case .stallBody:
            return response(.stream { try await Delivery.stall(amid: bytes, $0, clock, for: stall) })
        case .drip: return response(.stream { try await Delivery.drip(bytes, $0, clock) })
        default: return response(.bytes(bytes))
        }
    }

    private func response(_ body: Response.Body) -> Response {
        Response(status: 200, headers: headers, body: body)
    }
}
