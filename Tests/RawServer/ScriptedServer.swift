import Glibc
import Synchronization
import System

/// A server of raw sockets that does to each connection what its script says, on a thread of that connection's.
///
/// It knows no more of HTTP than where a request ends, so that it can break every rule.
package final class ScriptedServer: Sendable {
    package let port: Int
    private let listener: Int32
    private let accepted = Atomic(0)

    package var connectionCount: Int { accepted.load(ordering: .acquiring) }
    package var url: String { "http://127.0.0.1:\(port)" }

    package init(_ script: @escaping @Sendable (Peer) -> Void) {
        let (listener, port) = boundSocket()
        precondition(listen(listener, 4096) == 0)
        self.listener = listener
        self.port = port
        spawn { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { break }
                self?.accepted.wrappingAdd(1, ordering: .acquiringAndReleasing)
                spawn { script(Peer(descriptor)) }
            }
            close(listener)
        }
    }

    deinit {
        // Ends the accepting thread, which closes the socket.
        shutdown(listener, Int32(SHUT_RDWR))
    }
}

/// An address at which nobody listens, and which nobody else gets as long as this lives.
package final class DeafPort: Sendable {
    package let url: String
    private let descriptor: Int32

    package init() {
        let (descriptor, port) = boundSocket()
        self.descriptor = descriptor
        url = "http://127.0.0.1:\(port)"
    }

    deinit {
        close(descriptor)
    }
}

/// A socket at a free port of loopback.
private func boundSocket() -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            precondition(bind(descriptor, address, size) == 0)
            precondition(getsockname(descriptor, address, &size) == 0)
        }
    }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}

/// One connection as its script sees it: blocking calls, closed when the script returns.
package final class Peer {
    let descriptor: Int32
    private var unread: [UInt8] = []

    package struct Request: Sendable {
        package var head: String
        package var body: [UInt8]
        package var target: String { String(head.split(separator: " ")[1]) }
        package func has(_ line: String) -> Bool {
            head.lowercased().contains("\r\n" + line.lowercased() + "\r\n")
        }
    }

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        close(descriptor)
    }

    /// Nil when the client has closed.
    package func request() -> Request? {
        guard let head = readHead() else { return nil }
        let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        let count = length.flatMap { Int($0.dropFirst(15).filter { $0 != " " }) } ?? 0
        while unread.count < count { guard readMore() else { return nil } }
        defer { unread.removeFirst(count) }
        return Request(head: head, body: Array(unread.prefix(count)))
    }

    /// Leaves the body unread.
    package func requestHead() -> String? { readHead() }

    private func readHead() -> String? {
        var end = 0
        while true {
            while end + 4 <= unread.count {
                if unread[end..<end + 4].elementsEqual("\r\n\r\n".utf8) {
                    defer { unread.removeFirst(end + 4) }
                    return String(decoding: unread[..<(end + 4)], as: UTF8.self)
                }
                end += 1
            }
            guard readMore() else { return nil }
        }
    }

    private func readMore() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { return false }
        unread += chunk[..<count]
        return true
    }

    /// What has come, at least a byte; empty when the client has closed.
    package func take() -> [UInt8] {
        if unread.isEmpty, !readMore() { return [] }
        defer { unread = [] }
        return unread
    }

    package func untilClosed() {
        while readMore() { unread = [] }
    }

    /// False when the client has closed.
    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// How many bytes went out before the limit on writes, -1 when the client has closed.
    package func sendSome(_ bytes: [UInt8]) -> Int {
        let count = write(descriptor, bytes, bytes.count)
        return count < 0 && errno == EAGAIN ? 0 : count
    }

    package func answer(_ status: String = "200 OK", _ headers: [String] = [], _ body: [UInt8] = []) {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.count)"] + headers
        send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    /// Sends the last words and the connection's end as one packet, so that the client cannot see one without the other.
    package func sendLast(_ text: String) {
        var isOn: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_CORK, &isOn, socklen_t(MemoryLayout<Int32>.size))
        send(text)
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes with a TCP reset.
    package func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// Makes a write fail that cannot go on for so long.
    package func limitWrites(milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout.size(ofValue: time)))
    }

    package func rest(milliseconds: UInt32) {
        usleep(milliseconds * 1000)
    }
}

/// Something that happens once on a server's thread and is awaited by a test.
package final class Event: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let gate = Barrier(1)

    package init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    package func fire() {
        continuation.finish()
        gate.pass()
    }

    package func wait() async { for await _ in stream {} }

    /// For scripts: blocks until a test (or another script) fires.
    package func waitOnThread() { gate.wait() }
}

package final class Recorded: Sendable {
    private let content: Atomic<Int>
    package init(_ value: Int) { content = Atomic(value) }
    package var value: Int { content.load(ordering: .acquiring) }
    package func set(_ value: Int) { content.store(value, ordering: .releasing) }
}

/// A point that threads pass together: a pipe that ends for all its readers when the last one has arrived.
package final class Barrier: Sendable {
    private let count: Int
    private let arrived = Atomic(0)
    private let ends: [Int32]

    package init(_ count: Int) {
        self.count = count
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        self.ends = ends
    }

    deinit {
        close(ends[0])
        if arrived.load(ordering: .acquiring) < count { close(ends[1]) }
    }

    package func pass() {
        let now = arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        if now == count { close(ends[1]) }
        wait()
    }

    package func wait() {
        var byte: UInt8 = 0
        read(ends[0], &byte, 1)
    }
}

private func spawn(_ body: @escaping @Sendable () -> Void) {
    do {
        _ = try Thread(named: "test-server", body)
    } catch {
        preconditionFailure("\(error)")
    }
}
