import API
import HTTPServer
import Jobs
import Models
import Telemetry

extension ServiceContext {
    /// The API, listening already; `service` serves until it is cancelled.
    ///
    /// It makes interactive calls itself, with the providers' keys.
    func api(key: Secret?, for providers: Providers) throws -> ListeningServer {
        let configuration = settings.configuration
        var terms = APISettings(
            service: configuration.standardRoute.service, routes: configuration.table,
            apiKeys: key.map { [$0.reveal()] } ?? [], model: configuration.model,
            maxTokens: settings.maxTokens, maxAttempts: settings.maxAttempts,
            cacheEnabled: settings.cacheTTL > 0,
            allowedOrigins: settings.corsOrigins, version: Version.current,
            prices: PriceTable(configuration.table))
        terms.interactiveWait = settings.interactiveWait
        terms.halfPrice = settings.halfPrice
        terms.halfPrice.services = configuration.providers.filter(\.takesBatches).map(\.key)
        terms.clientRequestsPerMinute = settings.clientRequests
        terms.clientRequestsAtOnce = settings.clientConcurrency
        terms.interactiveUsesCache = settings.interactiveUsesCache
        terms.allowedHosts = settings.allowedHosts + [settings.listen.host]
        terms.bodyMemory = .share()
        terms.stated = settings.stated
        let interactive = worker(for: providers, partition: .interactive)
        let api = API(
            store: store, settings: terms, log: log, interactive: interactive.worker,
            batches: store)
        agreement.note(api)
        let server = try ListeningServer(
            settings.listen, handler: api, grace: settings.shutdownTimeout, memory: terms.bodyMemory)
        log.info(
            "api listens",
            ["address": "\(server.address)", "url": "\(server.url)", "key": .bool(key != nil)])
        var listening = server
        listening.service = Service(name: "api") {
            // Not a child of this task: clients that wait for a job still hear of its end while the server stops.
            let watching = Task { await api.run() }
            // Calls in flight finish while the server sends their answers; then it has nothing to do any more.
            let working = Task { try await interactive.service.run() }
            try await server.service.run()
            working.cancel()
            try await working.value
            watching.cancel()
            await watching.value
        }
        return listening
    }
}
