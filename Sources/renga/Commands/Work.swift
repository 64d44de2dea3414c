import Telemetry

extension Command {
    static let work = Command(
        name: "work", summary: "run a worker; start as many as you like on one database",
        settings: Settings.ofServices, secrets: [.providerKey],
        details: """
            It claims jobs, calls the provider and stores the answers. On SIGTERM it lets calls in flight finish for up
            to RENGA_SHUTDOWN_TIMEOUT and hands the rest back. A second signal ends it at once.
            """
    ) { invocation in
        let settings = try ServiceSettings(invocation)
        try ProcessLimits.check(for: settings.database)
        let log = Log.standard(settings.logLevel)
        let providers = try Providers.real(settings.configuration, invocation)
        let base = try await ServiceContext(settings, invocation, command: "work", log: log)
        try await base.state(providers)
        try await base.run([base.worker(for: providers).service])
        return .done
    }
}
