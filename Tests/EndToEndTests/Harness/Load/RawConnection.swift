import Glibc

/// A connection that sends exactly the bytes it is told to; it blocks, so use it off the pool.
struct RawConnection {
    let descriptor: Int32

    /// From an address of the loopback network.
    init(port: Int, from address: String = "127.0.0.1") throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard withLoopback(0, at: address, { bind(descriptor, $0, $1) }) == 0,
            withLoopback(port, { connect(descriptor, $0, $1) }) == 0
        else {
            let reason = String(cString: strerror(errno))
            _ = Glibc.close(descriptor)
            throw Disappointment("cannot connect: \(reason)")
        }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// False when the server has closed the connection.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let sent = bytes[start...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return false }
            start += sent
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Everything up to the end of the connection; throws where it does not end.
    func receiveAll() throws -> String {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            let text = String(decoding: all, as: UTF8.self)
            if count < 0, errno == EAGAIN {
                throw Disappointment("the connection has not ended after “\(text.prefix(600))”")
            }
            guard count > 0 else { return text }
            all += chunk[..<count]
        }
    }

    /// Whether something came in time, or the end.
    func hasNews(within milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, milliseconds) > 0
    }

    /// What has come; nothing at the end of the connection.
    func receiveSome() -> String {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        return count > 0 ? String(decoding: chunk[..<count], as: UTF8.self) : ""
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() { _ = Glibc.close(descriptor) }

    /// One request on a connection of its own, and everything that comes back.
    static func exchange(_ port: Int, _ request: [UInt8]) async throws -> String {
        try await offPool {
            let connection = try RawConnection(port: port)
            defer { connection.close() }
            connection.send(request)
            return try connection.receiveAll()
        }
    }
}
