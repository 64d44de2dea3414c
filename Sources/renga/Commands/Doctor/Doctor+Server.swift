import JSON
import Jobs

extension Doctor {
    /// What a running server says of itself.
    struct ServerReport: Sendable {
        var findings: [Finding] = []
        /// Its settings by name, nil for unset ones; empty if no server answers.
        var settings: [String: String?] = [:]
        /// Whether its answers come from the simulator inside it.
        var answersItself = false
    }

    /// The settings that a running server goes by, and the trouble that it knows of.
    static func server(_ invocation: Invocation) async -> ServerReport {
        do {
            let client = try ServerClient(invocation)
            let answer = try await client.call("GET", "/v1/settings")
            var report = compare(answer["settings"], of: client.base, invocation)
            let stats = try await client.call("GET", "/v1/stats")
            report.findings += workers(stats)
            report.answersItself =
                stats.isTrue("simulated")
                && report.settings[Settings.baseURL.name] == .some(Settings.baseURL.standard)
            return report
        } catch let error as Failure where error.status == .tryAgain {
            return ServerReport(
                findings: [.fine("server", "no server answers; this shell's settings are checked")])
        } catch {
            return ServerReport(
                findings: [.doubtful("server", "\(error); this shell's settings are checked")])
        }
    }

    /// Often given by flags, and nothing that jobs depend on.
    private static let ownEach = [
        Settings.listen.name, Settings.port.name, Settings.logLevel.name, Settings.database.name,
    ]

    private static func compare(_ stated: JSON?, of url: String, _ invocation: Invocation) -> ServerReport {
        var settings: [String: String?] = [:]
        var differences: [Finding] = []
        for setting in Settings.ofServices {
            guard let value = stated?[setting.name] else { continue }
            let (theirs, ours) = (value.string, invocation.given(setting) ?? setting.standard)
            settings.updateValue(theirs, forKey: setting.name)
            guard theirs != ours, !ownEach.contains(setting.name) else { continue }
            differences.append(
                .doubtful(
                    setting.name,
                    "\(theirs ?? "unset") in the server at \(url), \(ours ?? "unset") in this shell"))
        }
        let database = settings[Settings.database.name] ?? nil
        let comparison =
            differences.isEmpty ? "the same as this shell's" : "some differ from this shell's"
        let server = Finding.fine(
            "server",
            "\(url) keeps its jobs in \(database ?? "another file"); its settings are checked (\(comparison))"
        )
        return ServerReport(findings: [server] + differences, settings: settings)
    }

    /// What keeps workers and serving processes from their work.
    private static func workers(_ stats: JSON) -> [Finding] {
        (stats["workers"]?.elements ?? []).filter { $0.isTrue("alive") }.flatMap { worker in
            let subject = "worker \(worker.text("name"))"
            let keys = (worker["refused_keys"]?.elements ?? []).compactMap(\.string)
            return (keys + [StatusPage.trouble(worker)].filter { !$0.isEmpty }).map {
                Finding.broken(subject, $0)
            }
        }
    }
}
