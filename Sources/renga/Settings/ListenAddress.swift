/// Where a server listens: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`.
struct ListenAddress: Hashable, Sendable {
    static let expectation = "an address and a port such as 127.0.0.1:8080 or [::]:8080"

    /// Without brackets.
    var host: String
    var port: Int

    @Sendable init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        else {
            return nil
        }
        self.host = String(host)
        self.port = port
    }

    /// Whether only this machine can call.
    var isLoopback: Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 != 0x3A })
    }

    /// As it is written in settings.
    var text: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// The address under which the machine itself reaches it.
    var url: String {
        let reachable = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        return "http://\(reachable.contains(":") ? "[\(reachable)]" : reachable):\(port)"
    }
}

extension Invocation {
    /// A port by flag counts before an address by flag, and that before either from the environment.
    func listenAddress(standard: String? = nil) throws -> ListenAddress {
        let address = given(Settings.listen) == nil ? standard.flatMap(ListenAddress.init(_:)) : nil
        var listen = try address ?? value(of: Settings.listen)
        let portCounts = isFlagged(Settings.port) || !isFlagged(Settings.listen)
        if let port = try optional(Settings.port), portCounts { listen.port = port }
        return listen
    }
}
