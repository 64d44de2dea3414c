/// The parts of a `postgres://` URL, decoded (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
///
/// What is wrong with it is said without a word of it: any part may be a password with a character that was not escaped.
struct PostgresURL {
    var user: String?
    var password: String?
    /// An empty name is libpq's own choice: the local socket.
    var hosts: [(name: String, port: Int?)] = []
    var database: String?
    /// In the order of the URL.
    var parameters: [(name: String, value: String)] = []

    static let schemes = ["postgres://", "postgresql://"]

    static func isOne(_ text: String) -> Bool { schemes.contains { text.hasPrefix($0) } }

    init(_ text: String) throws(PostgresError) {
        guard let scheme = Self.schemes.first(where: { text.hasPrefix($0) }) else {
            throw PostgresError(.badSettings, "a database URL begins with postgres:// or postgresql://")
        }
        let (main, query) = Self.cut(text.dropFirst(scheme.count), at: "?")
        let (authority, path) = Self.cut(main, at: "/")
        database = try path.map(Self.decode).flatMap { $0.isEmpty ? nil : $0 }
        try readAuthority(authority)
        for pair in query?.split(separator: "&") ?? [] {
            let (name, value) = Self.cut(pair, at: "=")
            guard let value else { throw Self.unreadable("a parameter has no value") }
            parameters.append((try Self.decode(name), try Self.decode(value)))
        }
    }

    private mutating func readAuthority(_ text: Substring) throws(PostgresError) {
        let places: Substring
        if let at = text.firstIndex(of: "@") {
            let (name, secret) = Self.cut(text[..<at], at: ":")
            user = name.isEmpty ? nil : try Self.decode(name)
            if let secret, !secret.isEmpty { password = try Self.decode(secret) }
            places = text[text.index(after: at)...]
        } else {
            places = text
        }
        guard !places.contains("@") else {
            throw Self.unreadable("write an @ in a name or password as %40, and a / as %2F")
        }
        for place in places.split(separator: ",", omittingEmptySubsequences: false) {
            hosts.append(try Self.host(place))
        }
    }

    private static func host(_ text: Substring) throws(PostgresError) -> (String, Int?) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw unreadable("a host cannot be read") }
            return (String(text[text.index(after: text.startIndex)..<end]), try port(rest.dropFirst()))
        }
        let (name, number) = cut(text, at: ":")
        return (try decode(name), try port(number ?? ""))
    }

    static func port(_ text: Substring) throws(PostgresError) -> Int? {
        guard !text.isEmpty else { return nil }
        guard let number = Int(text), 1...65_535 ~= number else {
            throw unreadable("a port is no number from 1 to 65535; write a / in a password as %2F")
        }
        return number
    }

    static func unreadable(_ reason: String) -> PostgresError {
        PostgresError(.badSettings, "the database URL cannot be read: \(reason)")
    }

    /// Before and after the first of these characters.
    private static func cut(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let place = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<place], text[text.index(after: place)...])
    }

    private static func decode(_ text: Substring) throws(PostgresError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(Substring(rest.prefix(2)))
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let value = UInt8(digits, radix: 16)
            else {
                throw unreadable("write a % as %25")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw unreadable("it is not UTF-8, or holds a NUL")
        }
        return decoded
    }
}
