import Jobs
import Telemetry

extension Command {
    static let serve = Command(
        name: "serve", summary: "run the HTTP API", settings: Settings.ofServices,
        secrets: [.providerKey, .apiKey],
        details: """
            Accepts jobs and serves their results; `renga work` on the same database runs them. If RENGA_API_KEY_FILE
            names a file that does not exist, a key is generated and stored in it.
            """
    ) { invocation in
        let settings = try ServiceSettings(invocation)
        try ProcessLimits.check(for: settings.database)
        let log = Log.standard(settings.logLevel)
        let providers = try Providers.real(settings.configuration, invocation)
        let key = try ClientKey.require(invocation, listen: settings.listen, log: log)
        let base = try await ServiceContext(settings, invocation, command: "serve", log: log)
        try await base.state(providers)
        let api = try base.api(key: key, for: providers)
        try await base.run([api.service])
        return .done
    }
}

extension ServiceContext {
    /// Runs services to their end, then closes the database.
    func run(_ services: [Service]) async throws {
        do {
            try await ServiceGroup(log: log).run(services + [agreement.service])
        } catch {
            await store.close()
            throw Failure("\(error)")
        }
        await store.close()
        log.info("renga stopped", database.work)
    }
}
