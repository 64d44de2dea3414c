/// Parameters of a database URL, each known and within its bounds.
struct Parameters {
    private var values: [String: String] = [
        "application_name": "renga",
        "client_encoding": "UTF8",
        "target_session_attrs": "read-write",
        // Without these a server that vanished is noticed after a quarter of an hour.
        "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
        "tcp_user_timeout": "10000",
        // Kerberos only if it is asked for: the attempt costs each connection its time.
        "gssencmode": "disable",
    ]
    private(set) var connectTimeoutSeconds = 2
    /// A password that was given as a parameter.
    private(set) var secret: String?

    private static let texts: Set = [
        "application_name", "channel_binding", "dbname", "gssencmode", "host", "krbsrvname", "options",
        "passfile",
        "port", "requirepeer", "ssl_min_protocol_version", "sslcert", "sslcrl", "sslcrldir", "sslkey",
        "sslrootcert", "sslsni", "user",
    ]
    /// In seconds, but for `tcp_user_timeout`, which is in milliseconds.
    private static let numbers: [String: ClosedRange<Int>] = [
        "connect_timeout": 1...60, "keepalives_count": 1...10, "keepalives_idle": 1...600,
        "keepalives_interval": 1...60, "tcp_user_timeout": 1_000...600_000,
    ]
    private static let choices: [String: Set<String>] = [
        "sslmode": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        "target_session_attrs": ["read-write", "primary"],
    ]

    subscript(_ name: String) -> String? { values[name] }

    mutating func set(_ name: String, _ value: String) throws(PostgresError) {
        if name == "password" { return secret = value }
        if name == "connect_timeout" {
            connectTimeoutSeconds = try Self.number(name, value, Self.numbers["connect_timeout"] ?? 1...60)
        } else if let range = Self.numbers[name] {
            values[name] = String(try Self.number(name, value, range))
        } else if let choices = Self.choices[name] {
            guard choices.contains(value) else {
                throw PostgresURL.unreadable(
                    "\(name) must be one of \(choices.sorted().joined(separator: ", "))")
            }
            values[name] = value
        } else if Self.texts.contains(name) {
            values[name] = value
        } else {
            let known = (Array(Self.texts) + Self.numbers.keys + Self.choices.keys).sorted()
            throw PostgresURL.unreadable("a parameter is none of \(known.joined(separator: ", "))")
        }
    }

    private static func number(_ name: String, _ value: String, _ range: ClosedRange<Int>)
        throws(PostgresError) -> Int
    {
        guard let number = Int(value), range ~= number else {
            throw PostgresURL.unreadable("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Without what is said of each host and of who asks.
    var forLibrary: [String: String] {
        values.filter { !["host", "port", "user", "dbname"].contains($0.key) }
    }
}
