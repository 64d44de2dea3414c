import Glibc
import Synchronization

/// Free ports outside of the range from which the system draws, so that no other test is given one in between.
enum Ports {
    private static let given = Mutex<Set<Int>>([])

    static func free() throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 20_000...31_999)
            guard given.withLock({ $0.insert(port).inserted }), isFree(port) else { continue }
            return port
        }
        throw Disappointment("no port is free")
    }

    /// Has nobody be given a port that is sometimes free.
    static func reserve(_ port: Int) {
        given.withLock { _ = $0.insert(port) }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return withLoopback(port) { bind(descriptor, $0, $1) } == 0
    }
}

func withLoopback<R>(
    _ port: Int, at host: String = "127.0.0.1", _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
) -> R {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
