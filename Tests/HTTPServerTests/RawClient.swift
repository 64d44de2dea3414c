import Glibc
import HTTPServer
import TestSupport

/// A client that sends exactly the bytes it is told to, on a thread of its own: nothing it waits for blocks the pool.
struct RawClient {
    /// Bounds every wait of a test; nothing that works takes this long.
    static let patience = 10

    struct TimedOut: Error {}

    let socket: Int32

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            _ = Glibc.close(socket)
            throw HTTPServerError.Refused(code: errno)
        }
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Runs a conversation on a thread that may block.
    static func talk<T: Sendable>(
        to port: Int, _ conversation: @escaping @Sendable (RawClient) throws -> T
    ) async throws -> T {
        try await onThread {
            let client = try RawClient(port: port)
            defer { client.close() }
            return try conversation(client)
        }
    }

    /// False when the server has closed the connection.
    @discardableResult
    func send(_ text: String) -> Bool {
        send(Array(text.utf8))
    }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let sent = bytes[start...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return false }
            start += sent
        }
        return true
    }

    /// Up to that many bytes, as they come; empty at the end, nil after a reset.
    func receive(_ limit: Int = 65536) throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = recv(socket, &bytes, limit, 0)
        if count < 0 {
            if errno == EAGAIN { throw TimedOut() }
            return nil
        }
        return Array(bytes[..<count])
    }

    /// Everything up to the end of the connection.
    func receiveAll() throws -> String {
        var all: [UInt8] = []
        while let bytes = try receive(), !bytes.isEmpty { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// Everything up to and with that text, or the end.
    func receive(through text: String) throws -> String {
        var all = ""
        while !all.contains(text), let bytes = try receive(), !bytes.isEmpty {
            all += String(decoding: bytes, as: UTF8.self)
        }
        return all
    }

    func finishSending() {
        shutdown(socket, Int32(SHUT_WR))
    }

    func close() {
        _ = Glibc.close(socket)
    }
}

extension HTTPServerError {
    struct Refused: Error {
        let code: Int32
    }
}

extension RawClient {
    /// One request on a connection of its own, and everything that comes back.
    static func exchange(_ port: Int, _ request: String) async throws -> String {
        try await talk(to: port) { client in
            client.send(request)
            return try client.receiveAll()
        }
    }

    /// A GET whose answer ends the connection.
    static func get(_ port: Int, _ target: String) async throws -> String {
        try await exchange(port, "GET \(target) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }
}

extension String {
    var status: Int? { split(separator: " ").dropFirst().first.flatMap { Int($0) } }

    /// What follows the first empty line.
    var body: String {
        guard let end = range(ofCRLFCRLF: self) else { return "" }
        return String(self[end...])
    }

    private func range(ofCRLFCRLF text: String) -> String.Index? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 4 else { return nil }
        for start in 0...(bytes.count - 4) where bytes[start..<start + 4].elementsEqual([13, 10, 13, 10]) {
            return text.utf8.index(text.startIndex, offsetBy: start + 4)
        }
        return nil
    }
}
