import API
import HTTPServer
import Jobs
import Models
import Telemetry

extension Foundations {
    /// The API, listening already; `service` serves until it is cancelled.
    func api(key: Secret?) throws -> Listening {
        let configuration = settings.configuration
        let api = API(
            store: store, clock: clock,
            settings: APISettings(
                service: configuration.standardRoute.service, routes: configuration.table,
                apiKeys: key.map { [$0.reveal()] } ?? [], model: configuration.model,
                maxTokens: settings.maxTokens, maxAttempts: settings.maxAttempts,
                cacheEnabled: settings.cacheTTL > 0,
                allowedOrigins: settings.corsOrigins, version: Version.current,
                prices: PriceTable(configuration.table)),
            log: log)
        let server = try Listening(settings.listen, handler: api, grace: settings.grace)
        log.info("api listens", ["url": "\(server.url)", "key": .bool(key != nil)])
        var listening = server
        listening.service = Service(name: "api") {
            // Not a child of this task: who waits for a job is still told of its end while the server stops.
            let watching = Task { await api.run() }
            try await server.service.run()
            watching.cancel()
            await watching.value
        }
        return listening
    }
}
