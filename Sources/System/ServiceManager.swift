import Glibc

/// The service manager that started this process and wants to hear how it fares, by systemd's protocol: see sd_notify(3).
package struct ServiceManager: Sendable {
    package enum Word: String, Sendable {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
        case alive = "WATCHDOG=1"
    }

    /// As the manager names it; with a leading “@” it is in no folder.
    private let socketName: String
    /// It ends this process if it does not hear `alive` for so long; nil if it does not care.
    package let patience: Duration?

    /// A day: no manager that waits longer would be of use.
    private static let longestPatience: Int64 = 86_400_000_000
    /// What is told is worth no longer a wait.
    private static let sendSeconds = 1

    /// Nil if there is none.
    ///
    /// `variable` reads the environment.
    package init?(
        process: Int32 = processID, variable: (String) -> String? = { environmentVariable($0) }
    ) {
        guard let name = variable("NOTIFY_SOCKET"), !name.isEmpty else { return nil }
        socketName = name
        let watched = variable("WATCHDOG_PID").map { Int32($0) == process } ?? true
        let microseconds = variable("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        patience =
            watched && (1...Self.longestPatience) ~= microseconds ? .microseconds(microseconds) : nil
    }

    package func tell(_ word: Word) throws(SystemError) {
        var (address, length) = try address()
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("make a socket") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Self.sendSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(word.rawValue.utf8)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
        guard sent == bytes.count else { throw SystemError("write to NOTIFY_SOCKET “\(socketName)”") }
    }

    private func address() throws(SystemError) -> (sockaddr_un, socklen_t) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(socketName.utf8)
        let isAbstract = name.first == UInt8(ascii: "@")
        guard isAbstract || name.first == UInt8(ascii: "/"),
            name.count < MemoryLayout.size(ofValue: address.sun_path)
        else {
            throw SystemError(
                message: "NOTIFY_SOCKET is “\(socketName)”; expected the path of a socket, or a name after @")
        }
        if isAbstract { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // A path ends with a zero; a name in no folder ends with its last byte.
        let length = MemoryLayout<sa_family_t>.size + name.count + (isAbstract ? 0 : 1)
        return (address, socklen_t(length))
    }
}
