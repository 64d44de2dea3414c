import Glibc
package import System

/// A socket that keeps datagrams, as a service manager has it.
package final class DatagramInbox: Sendable {
    private let descriptor: Int32

    /// With a leading “@” the name is in no folder.
    package init(_ name: String) throws(SystemError) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard status == 0 else {
            throw SystemError(
                code: errno, message: "cannot bind \(name): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// The oldest that has not been read; waits for one, and is nil after half a minute without.
    package func next() -> String? {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 30_000) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
