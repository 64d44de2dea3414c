import Telemetry

extension Command {
    static let work = Command(
        name: "work", summary: "a worker; run as many as you like on the same database",
        settings: Settings.ofServices, secrets: [.providerKey],
        details: """
            Claims jobs, calls the provider, keeps the answers. SIGTERM lets calls in flight finish for as long as
            RENGA_SHUTDOWN_TIMEOUT says, and hands the rest back; a second signal ends it at once.
            """
    ) { invocation in
        let settings = try ServiceSettings(invocation)
        try ProcessLimits.check(database: settings.database)
        let log = Log.standard(settings.logLevel)
        let providers = try Providers.real(settings.configuration, invocation)
        let base = try await ServiceContext(settings, invocation, command: "work", log: log)
        try await base.state(providers)
        try await base.run([base.worker(for: providers).service])
        return .done
    }
}
