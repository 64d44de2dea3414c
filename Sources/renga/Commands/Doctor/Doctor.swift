import System

extension Command {
    static let doctor = Command(
        name: "doctor",
        summary: "check settings, database, disk, providers and clock",
        flags: [Flag("shell", "check this shell's settings, even if a server runs")],
        settings: Settings.ofServices + [Settings.url], secrets: [.providerKey, .apiKey],
        details: """
            It checks the settings of the server at RENGA_URL, and names those that differ from this shell's. With
            --shell, or if no server answers, it checks this shell's settings. Secrets are always this shell's. It
            changes nothing and costs nothing. Each line that does not begin with OK says how to fix the problem. The
            exit status is 1 if a line begins with FAIL.
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
                        "settings",
                        "the server's settings cannot be checked from here: \(error); \(Self.there)")
                    : .broken("settings", "\(error)")
            ]
        }
        var findings = [Finding.fine("settings", "all are valid")]
        findings += clientKey(settings)
        do {
            let providers = try Providers(settings.configuration, invocation)
            findings += configuration(settings, providers)
            findings += await settings.database.examine(ofServer: checksServer)
            findings += authorities
            findings +=
                providerIsInside
                ? [.fine("provider", "the server's own simulator answers")]
                : await reach(providers, settings.authorities)
        } catch {
            findings.append(.broken("provider", "\(error)"))
            findings += await settings.database.examine(ofServer: checksServer)
        }
        findings += await agreement(settings)
        findings += [await settings.database.engine(), files(settings)]
        return findings
    }

    static let there = "run `renga doctor` on the server's machine"

    private func files(_ settings: ServiceSettings) -> Finding {
        let limit = raiseFileLimit()
        let needed = settings.concurrency + 256
        return limit >= needed
            ? .fine("open files", "\(Text.number(limit)) allowed")
            : .broken(
                "open files",
                "\(limit) allowed, \(needed) needed for RENGA_CONCURRENCY \(settings.concurrency): ulimit -n \(needed)"
            )
    }

    private func clientKey(_ settings: ServiceSettings) -> [Finding] {
        var findings: [Finding] = []
        do {
            let isSet = try invocation.secret(.apiKey, mayBeMissing: true) != nil
            findings.append(clientKey(settings.listen, isSet: isSet))
        } catch {
            findings.append(.broken("client key", "\(error)"))
        }
        return findings
    }

    private func clientKey(_ listen: ListenAddress, isSet: Bool) -> Finding {
        if isSet { return .fine("client key", "RENGA_API_KEY is set") }
        if let path = invocation.secretFile(.apiKey) {
            return .fine("client key", "will be generated in \(path) at the first start")
        }
        return listen.isLoopback
            ? .fine("client key", "not needed on \(listen.host)")
            : .broken("client key", "not set, and other machines can reach \(listen.host); set RENGA_API_KEY")
    }
}
