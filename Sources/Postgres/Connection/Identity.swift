import CPQ

/// What a server says it is.
package struct Identity: Sendable, Equatable {
    /// As 150020 for 15.20.
    package let version: Int
    /// The cluster, which a standby shares with its primary; nil if the server does not tell us.
    package let system: Int64?
    /// The oldest that has what renga uses: 64-bit transaction numbers in SQL.
    static let oldestVersion = 130_000

    /// They answer as PostgreSQL, and keep other promises: locks that are none, no horizon of transactions.
    private static let others = ["CockroachDB", "YugabyteDB", "-YB-"]

    static func refusal(version: Int, words: String) -> PostgresError? {
        if let other = others.first(where: words.contains) {
            let name = other == "-YB-" ? "YugabyteDB" : other
            return PostgresError(
                .refused, "the server is \(name), on which renga would lose or repeat jobs: use PostgreSQL")
        }
        guard version < oldestVersion else { return nil }
        return PostgresError(
            .refused, "the server is PostgreSQL \(version / 10_000): renga needs 13 or newer")
    }
}

/// Each without a name at the server: a pooler that hands connections round may have sent an earlier one of the same name there, and what
/// it then says would hide what is wrong.
extension Statement {
    fileprivate static let version = Statement("server-version", assembled: "SELECT version()")
    /// Also has it tell warnings, whatever its settings are: see `Notices`.
    fileprivate static let standing = Statement(
        "server-standing",
        assembled: "SELECT pg_is_in_recovery(), set_config('client_min_messages', 'warning', false)")
    fileprivate static let setting = Statement(
        "server-setting", assembled: "SELECT set_config($1::text, $2::text, false)", [.text, .text])
    fileprivate static let system = Statement(
        "server-system", assembled: "SELECT (pg_control_system()).system_identifier")
}

extension Connection {
    /// Asks the server who it is, refuses those that are none of ours, and has the others go by the settings.
    func greet(_ settings: ConnectionSettings) throws(PostgresError) {
        try identify(acceptsStandby: settings.acceptsStandby)
        let settings = settings.serverSettings.sorted { $0.key < $1.key }
        guard !settings.isEmpty else { return }
        try run(
            settings.map { name, value in
                var arguments = Arguments()
                arguments.add(name)
                arguments.add(value)
                return Call(.setting, arguments)
            })
    }

    private func identify(acceptsStandby: Bool) throws(PostgresError) {
        let limits = TripLimits(milliseconds: 10_000, bytes: 1 << 20)
        let answers = run(
            batches: [Statement.version, .standing, .system].map { Batch([Call($0)], mayCommit: false) },
            limits: limits)
        let version = Int(functions.pointee.server_version(handle))
        let words = try answers[0].get().first?.first?.text(0) ?? ""
        if let refusal = Identity.refusal(version: version, words: words) { throw refusal }
        let isStandby = try answers[1].get().first?.first?.bool(0) ?? true
        guard !isStandby || acceptsStandby else {
            throw PostgresError(.readOnly, "\(host) is a standby")
        }
        identity = Identity(version: version, system: try system(answers[2]))
    }

    /// Managed services may keep it to themselves.
    private func system(_ answer: Result<[Rows], PostgresError>) throws(PostgresError) -> Int64? {
        if case .failure(let error) = answer, ["42501", "42883"].contains(error.state) { return nil }
        return try answer.get().first?.first?.int64(0)
    }
}
