import CMicroHTTPD
import Glibc

/// One accepted socket, as the server's thread keeps it from accept to close.
final class Connection {
    let id: UInt64
    let handle: OpaquePointer
    let socket: Int32
    let network: Network

    /// When it is cut, in milliseconds of the monotonic clock.
    var deadline = Int64.max

    /// Since when it has waited for a request; nil while one is being handled.
    var idleSince: Int64?

    /// Above the limit of connections: its request is answered 503, if it comes soon.
    var isSurplus = false

    /// No request has come yet.
    var isFresh = true

    /// The peer has closed its side, or the whole connection.
    var isHungUp = false

    var exchange: Exchange?

    /// Numeric, without the port.
    private(set) lazy var remoteAddress = Self.text(of: cmhd_peer(handle))

    init(id: UInt64, handle: OpaquePointer) {
        self.id = id
        self.handle = handle
        self.socket = cmhd_socket(handle)
        self.network = Network(cmhd_peer(handle))
    }

    /// Ends it in both directions; MHD notices at its next turn.
    func cut() {
        _ = shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Ends it with a reset, for an answer whose truncation nothing else would show.
    func reset() {
        // "connect(AF_UNSPEC)" dissolves the association, and TCP tells the peer with RST: connect(2), tcp_disconnect.
        var unspecified = sockaddr()
        unspecified.sa_family = sa_family_t(AF_UNSPEC)
        _ = connect(socket, &unspecified, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Writes past MHD, if it has not begun to answer and no longer can.
    func send(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    private static func text(of address: UnsafePointer<sockaddr>?) -> String {
        guard let address else { return "" }
        let isIPv6 = Int32(address.pointee.sa_family) == AF_INET6
        let length = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(
            address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        return status == 0
            ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
    }
}

/// What one limit of connections applies to: an IPv4 address, or an IPv6 /64, which one household can have whole.
struct Network: Hashable {
    private var bits: UInt64 = 0
    private var isIPv6 = false

    init(_ address: UnsafePointer<sockaddr>?) {
        guard let address else { return }
        let raw = UnsafeRawPointer(address)
        if Int32(address.pointee.sa_family) == AF_INET6 {
            let bytes = UnsafeRawBufferPointer(start: raw + 8, count: 16)
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            isIPv6 = !isMapped
            bits = (isMapped ? bytes[12...] : bytes[..<8]).reduce(0) { $0 << 8 | UInt64($1) }
        } else {
            bits = UnsafeRawBufferPointer(start: raw + 4, count: 4).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}
