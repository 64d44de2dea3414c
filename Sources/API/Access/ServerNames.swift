import HTTPServer

/// Under which names a server may be called that asks for no key.
///
/// The owner of any name can have it lead to 127.0.0.1, and their page in somebody's browser then speaks with the server of
/// that machine as with its own origin: by `Host` and `Origin` the browser still tells the name.
extension API {
    func checkNames(_ head: RequestHead) throws(Problem) {
        if let host = head.headers["host"], !isOurs(Self.name(inAuthority: host)) {
            throw Problem(
                .hostNotAllowed,
                """
                this server asks for no key, so it is to be called by a name of this machine, not as \
                “\(host.prefix(200))”: list that name in RENGA_ALLOWED_HOSTS, or set RENGA_API_KEY
                """, field: "host")
        }
        guard let origin = head.headers["origin"], !settings.allowedOrigins.contains(origin),
            !isOurs(Self.name(inOrigin: origin))
        else { return }
        throw Problem(
            .originNotAllowed,
            """
            pages of “\(origin.prefix(200))” may not call; RENGA_CORS_ORIGINS lists those that may, \
            RENGA_ALLOWED_HOSTS the names of this server
            """, field: "origin")
    }

    private func isOurs(_ name: String) -> Bool {
        name.isEmpty || Self.isLoopback(name) || settings.allowedHosts.contains { $0.lowercased() == name }
    }

    static func isLoopback(_ name: String) -> Bool {
        // What most callers use.
        if name == "127.0.0.1" || name == "localhost" || name == "::1" { return true }
        if name.hasSuffix(".localhost") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// `name:8080` and `[::1]:8080` without port and brackets, in small letters.
    static func name(inAuthority authority: some StringProtocol) -> String {
        let bytes = authority.utf8
        if bytes.first == UInt8(ascii: "["), let end = bytes.firstIndex(of: UInt8(ascii: "]")) {
            return authority[bytes.index(after: bytes.startIndex)..<end].lowercased()
        }
        let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        let name = authority[..<end].lowercased()
        // A name may end in the root's dot.
        return name.utf8.last == UInt8(ascii: ".") ? String(name.dropLast()) : name
    }

    /// `null`, for pages without an origin, stays what it is: nobody's name.
    private static func name(inOrigin origin: String) -> String {
        let authority = origin.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first
        return authority.map { name(inAuthority: $0) } ?? "null"
    }
}
