import Glibc

/// A listening socket.
enum Listener {
    /// The socket and the port it got.
    ///
    /// Keep-alive and TCP_NODELAY are set here because accepted sockets inherit them: a peer that vanished without
    /// a word is noticed after about two minutes.
    static func open(address: String, port: Int) throws(HTTPServerError) -> (socket: Int32, port: Int) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard (0...65535).contains(port), getaddrinfo(address, "\(port)", &hints, &list) == 0,
            let found = list
        else {
            throw HTTPServerError(
                code: .badAddress, message: "cannot listen on \(address):\(port): no such address")
        }
        defer { freeaddrinfo(list) }
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let listening = socket(found.pointee.ai_family, flags, 0)
        guard listening >= 0 else { throw failure(address, port) }
        for (level, option, value) in options { set(listening, level, option, value) }
        guard bind(listening, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0,
            listen(listening, 4096) == 0
        else {
            let failure = failure(address, port)
            _ = close(listening)
            throw failure
        }
        return (listening, boundPort(listening))
    }

    private static let options: [(Int32, Int32, Int32)] = [
        (SOL_SOCKET, SO_REUSEADDR, 1), (SOL_SOCKET, SO_KEEPALIVE, 1),
        (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60), (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15),
        (Int32(IPPROTO_TCP), TCP_KEEPCNT, 4), (Int32(IPPROTO_TCP), TCP_NODELAY, 1),
    ]

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func boundPort(_ socket: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(socket, $0, &length) }
            // sin_port and sin6_port are at the same place.
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }

    private static func failure(_ address: String, _ port: Int) -> HTTPServerError {
        let code: HTTPServerError.Code =
            switch errno {
            case EADDRINUSE: .addressInUse
            case EACCES, EPERM: .notPermitted
            case EADDRNOTAVAIL: .badAddress
            default: .system
            }
        let reason = String(cString: strerror(errno))
        return HTTPServerError(code: code, message: "cannot listen on \(address):\(port): \(reason)")
    }
}
