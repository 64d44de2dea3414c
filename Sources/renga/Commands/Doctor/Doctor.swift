extension Command {
    static let doctor = Command(
        name: "doctor",
        summary:
            "checks settings, database, disk, providers, clock and SQLite, and says what would mend them",
        flags: [Flag("shell", "check this shell's settings, even if a server runs")],
        settings: Settings.ofServices + [Settings.url], secrets: [.providerKey, .apiKey],
        details: """
            Asks the server at RENGA_URL first: its settings are the ones that are checked, and those that differ from this
            shell's are named. With --shell, or if no server answers, this shell's settings are checked. Secrets are always
            this shell's. Changes nothing and spends nothing. The exit status is 1 if something is broken.
            """,
        examples: ["renga doctor", "renga doctor --shell --config renga.json"]
    ) { invocation in
        let server =
            invocation.has("shell") ? Doctor.ServerReport() : await Doctor.server(invocation)
        let doctor = Doctor(
            invocation.with(settings: server.settings), checksServer: !server.settings.isEmpty,
            providerIsInside: server.answersItself)
        let findings = await server.findings + doctor.examine()
        try Console.print(page: Columns.text(findings.map { [$0.state.rawValue, $0.subject, $0.text] }))
        return findings.contains { $0.state == .broken } ? .failed : .done
    }
}

/// One line of the doctor's.
struct Finding: Sendable {
    enum State: String, Sendable {
        case fine = "OK"
        case doubtful = "WARN"
        case broken = "FAIL"
    }

    var state: State
    var subject: String
    var text: String

    static func fine(_ subject: String, _ text: String) -> Finding {
        Finding(state: .fine, subject: subject, text: text)
    }
    static func doubtful(_ subject: String, _ text: String) -> Finding {
        Finding(state: .doubtful, subject: subject, text: text)
    }
    static func broken(_ subject: String, _ text: String) -> Finding {
        Finding(state: .broken, subject: subject, text: text)
    }
}

/// Looks at everything that a start depends on.
struct Doctor: Sendable {
    let invocation: Invocation
    /// Whether the settings are a running server's, which may have another file system.
    let checksServer: Bool
    /// Whether that server answers from its own simulator, so that no provider need be reached.
    let providerIsInside: Bool

    init(_ invocation: Invocation, checksServer: Bool = false, providerIsInside: Bool = false) {
        self.invocation = invocation
        self.checksServer = checksServer
        self.providerIsInside = providerIsInside
    }

    func examine() async -> [Finding] {
        let settings: ServiceSettings
        do {
            settings = try ServiceSettings(invocation)
        } catch {
            return [
                checksServer
                    ? .doubtful(
                        "settings", "the server's cannot be checked from here: \(error); \(Self.there)")
                    : .broken("settings", "\(error)")
            ]
        }
        var findings = [Finding.fine("settings", "all can be read")]
        findings += callerKey(settings)
        do {
            let providers = try Providers(settings.configuration, invocation)
            findings += configuration(settings, providers)
            findings += database(settings.database)
            findings += authorities
            findings +=
                providerIsInside
                ? [.fine("provider", "the server's own simulator answers")]
                : await reach(providers, settings.authorities)
        } catch {
            findings.append(.broken("provider", "\(error)"))
            findings += database(settings.database)
        }
        findings += agreement(settings)
        findings += [sqlite, files(settings)]
        return findings
    }

    static let there = "run `renga doctor` where the server runs"

    private func callerKey(_ settings: ServiceSettings) -> [Finding] {
        var findings: [Finding] = []
        do {
            let isSet = try invocation.secret(.apiKey, mayBeMissing: true) != nil
            findings.append(callers(settings.listen, isSet: isSet))
        } catch {
            findings.append(.broken("caller key", "\(error)"))
        }
        return findings
    }

    private func callers(_ listen: ListenAddress, isSet: Bool) -> Finding {
        if isSet { return .fine("caller key", "RENGA_API_KEY is set") }
        if let path = invocation.secretFile(.apiKey) {
            return .fine("caller key", "will be made in \(path) at the first start")
        }
        return listen.isLoopback
            ? .fine("caller key", "none is needed on \(listen.host)")
            : .broken("caller key", "none, and \(listen.host) can be reached by others; set RENGA_API_KEY")
    }
}
