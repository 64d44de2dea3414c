extension Command {
    static let doctor = Command(
        name: "doctor",
        summary:
            "checks settings, database, disk, providers, clock and SQLite, and says what would mend them",
        settings: Settings.ofServices + [Settings.url], secrets: [.providerKey, .apiKey],
        details: """
            Asks the server at RENGA_URL first with which settings it runs, and names those that are others here.
            Shows the configuration as it counts, without secrets, from RENGA_CONFIG or the environment. Changes nothing and
            spends nothing. The status is 1 if something is broken.
            """
    ) { invocation in
        let findings = await Doctor.server(invocation) + Doctor(invocation).examine()
        try Console.print(Columns.text(findings.map { [$0.state.rawValue, $0.subject, $0.text] }))
        return findings.contains { $0.state == .broken } ? .failed : .done
    }
}

/// One line of the doctor's.
struct Finding: Sendable {
    enum State: String, Sendable {
        case fine = "ok"
        case doubtful = "look"
        case broken = "MEND"
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

    init(_ invocation: Invocation) {
        self.invocation = invocation
    }

    func examine() async -> [Finding] {
        let settings: ServiceSettings
        do {
            settings = try ServiceSettings(invocation)
        } catch {
            return [.broken("settings", "\(error)")]
        }
        var findings = [Finding.fine("settings", "all can be read")]
        findings += callerKey(settings)
        do {
            let providers = try Providers(settings.configuration, invocation)
            findings += configuration(settings, providers)
            findings += database(settings.database)
            findings += authorities
            findings += await reach(providers, settings.authorities)
        } catch {
            findings.append(.broken("provider", "\(error)"))
            findings += database(settings.database)
        }
        findings += agreement(settings)
        findings += [sqlite, files(settings)]
        return findings
    }

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
