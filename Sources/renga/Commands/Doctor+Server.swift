import JSON
import Jobs

extension Doctor {
    /// Whether a server runs, and which of its settings are not this shell's: what it does is not seen from here.
    static func server(_ invocation: Invocation) async -> [Finding] {
        do {
            let client = try ServerClient(invocation)
            let answer = try await client.call("GET", "/v1/settings")
            return compare(answer["settings"], of: client.base, invocation)
        } catch let error as Failure where error.status == .tryAgain {
            return [.fine("server", "none answers; what follows are this shell's settings")]
        } catch {
            return [.doubtful("server", "\(error); what follows are this shell's settings")]
        }
    }

    /// Told by flags often, and nothing that jobs depend on.
    private static let ownEach = [
        Settings.listen.name, Settings.port.name, Settings.logLevel.name, Settings.database.name,
    ]

    private static func compare(_ settings: JSON?, of url: String, _ invocation: Invocation) -> [Finding] {
        let differences = Settings.ofServices.compactMap { setting -> Finding? in
            guard !ownEach.contains(setting.name), let told = settings?[setting.name] else { return nil }
            let (theirs, ours) = (told.string, invocation.given(setting) ?? setting.standard)
            guard theirs != ours else { return nil }
            return .doubtful(
                setting.name, "\(theirs ?? "unset") in the server at \(url), \(ours ?? "unset") in this shell"
            )
        }
        let database = settings?[Settings.database.name]?.string ?? "another file"
        let words = differences.isEmpty ? "this shell's settings" : "other settings than this shell's"
        var findings = [
            Finding.fine("server", "the one at \(url) keeps its jobs in \(database), and runs with \(words)")
        ]
        findings += differences
        if !differences.isEmpty {
            findings.append(.doubtful("settings", "what follows are this shell's, not the server's"))
        }
        return findings
    }
}
