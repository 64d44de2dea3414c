/// Where a database is, who asks, and how long anything may take; its password shows nowhere.
package struct ConnectionSettings: Sendable {
    /// An empty name, or one that begins with a slash, is a local socket.
    package struct Host: Sendable, Hashable, CustomStringConvertible {
        package let name: String
        package let port: Int

        package var description: String {
            name.isEmpty
                ? "local socket :\(port)" : name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
        }

        /// The folder of a socket has slashes, which part the host from the database.
        fileprivate var inURL: String {
            name.isEmpty
                ? ":\(port)"
                : name.hasPrefix("/") ? "\(name.replacing("/", with: "%2F")):\(port)" : description
        }
    }

    /// Where a URL was read: flags show in the list of processes, the environment and files do not.
    package enum Origin: Sendable {
        case flag
        case environment
    }

    /// Tried in this order until one accepts writes; those that do not answer, last.
    package let hosts: [Host]
    package let user: String?
    package let database: String?
    /// For each host: its name look-ups, connecting, TLS and authentication.
    package let connectTimeoutMilliseconds: Int
    /// Settings of the server that each connection begins with.
    package var serverSettings: [String: String] = [:]
    /// Whether a server that takes no writes will do, as for reading only.
    package var acceptsStandby = false
    let password: Password?
    private let parameters: [String: String]

    /// More servers than that are no one cluster.
    private static let hostLimit = 16

    /// Throws if a flag holds a password, for parameters that libpq or renga does not know, and for anything unreadable.
    ///
    /// `password` goes before one in the URL. libpq adds what neither says: PGPASSFILE, PGUSER and the like.
    package init(url text: String, from origin: Origin, password: Password? = nil) throws(PostgresError) {
        let url = try PostgresURL(text)
        var parameters = Parameters()
        for (name, value) in url.parameters { try parameters.set(name, value) }
        if origin == .flag, url.password != nil || parameters.secret != nil { throw Self.passwordInFlag }
        hosts = try Self.hosts(url.hosts, parameters)
        user = url.user ?? parameters["user"]
        database = url.database ?? parameters["dbname"]
        connectTimeoutMilliseconds = parameters.connectTimeoutSeconds * 1_000
        if password == nil, let given = url.password ?? parameters.secret {
            self.password = try Password(given)
        } else {
            self.password = password
        }
        self.parameters = parameters.forLibrary
    }

    /// Whether a database is named that is PostgreSQL's.
    package static func isURL(_ text: String) -> Bool { PostgresURL.isOne(text) }

    private static var passwordInFlag: PostgresError {
        PostgresError(
            .badSettings,
            "a password in a flag shows in the list of processes. Leave it out of the URL, and set "
                + "RENGA_DATABASE_PASSWORD_FILE=/path/of/a/file (or RENGA_DATABASE_PASSWORD, or PGPASSFILE): "
                + "RENGA_DATABASE_PASSWORD_FILE=/run/secrets/database renga up --database postgres://USER@HOST/NAME"
        )
    }

    private static func hosts(_ given: [(name: String, port: Int?)], _ parameters: Parameters)
        throws(PostgresError) -> [Host]
    {
        let names = parameters["host"].map { $0.split(separator: ",").map(String.init) } ?? given.map(\.name)
        var ports: [Int?] = given.map(\.port)
        if let text = parameters["port"] {
            ports = []
            for part in text.split(separator: ",") { ports.append(try PostgresURL.port(part)) }
        }
        guard 1...hostLimit ~= names.count, ports.count == 1 || ports.count == names.count else {
            throw PostgresURL.unreadable("give 1 to \(hostLimit) hosts, and one port for all or for each")
        }
        return names.enumerated().map { index, name in
            Host(name: name, port: (ports.count == 1 ? ports[0] : ports[index]) ?? 5432)
        }
    }

    /// What libpq is told, by its own names.
    func forLibrary(_ host: Host) -> [String: String?] {
        var all: [String: String?] = parameters
        all["host"] = host.name.isEmpty ? nil : host.name
        all["port"] = String(host.port)
        all["user"] = user
        all["dbname"] = database
        if acceptsStandby { all["target_session_attrs"] = "any" }
        return all
    }
}

extension ConnectionSettings: CustomStringConvertible {
    /// The URL without password and parameters, as tools take it.
    package var description: String {
        let name = user.map { "\($0)@" } ?? ""
        return "postgres://\(name)\(hosts.map(\.inURL).joined(separator: ","))/\(database ?? "")"
    }
}
