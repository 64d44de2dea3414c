import Glibc

extension Peer {
    package enum Side: Sendable { case client, server }

    /// Passes bytes between the client and a server of loopback until one of them closes, nothing has come for so long, or
    /// `pass` returns nil; what it returns goes on instead of what came.
    package func relay(to port: Int, quietMilliseconds: Int32 = -1, _ pass: (Side, [UInt8]) -> [UInt8]?) {
        guard let server = connectedSocket(port) else { return }
        defer { close(server) }
        let ends = [(Side.client, descriptor, server), (.server, server, descriptor)]
        while true {
            var watched = ends.map { pollfd(fd: $0.1, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, 2, quietMilliseconds) > 0 else { return }
            for ((side, from, to), state) in zip(ends, watched) where state.revents != 0 {
                var chunk = [UInt8](repeating: 0, count: 65536)
                let count = read(from, &chunk, chunk.count)
                guard count > 0, let bytes = pass(side, Array(chunk[..<count])) else { return }
                guard write(to, bytes, bytes.count) == bytes.count else { return }
            }
        }
    }
}

func connectedSocket(_ port: Int) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    address.sin_port = UInt16(port).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    if status == 0 { return descriptor }
    close(descriptor)
    return nil
}
