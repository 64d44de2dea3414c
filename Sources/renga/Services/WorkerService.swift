import HTTPClient
import Jobs
import Models
import System
import Telemetry
import Worker

extension ServiceContext {
    /// A worker with its own client, which calls every provider that it has a key for.
    func worker(for providers: Providers, partition: Partition = .common) -> (
        worker: Worker, service: Service
    ) {
        let slots = partition == .interactive ? settings.interactiveConcurrency : settings.concurrency
        let client = HTTPClient(maxConnections: slots, authorities: settings.authorities)
        let caller = providers.caller(
            client, CallSettings(timeouts: .init(settings.timeouts)), clock: store, log: log)
        let host = hostName()
        let name = "\(host):\(processID)"
        var terms = WorkerSettings(
            name: name, host: host, processID: processID, slots: slots, lease: settings.lease,
            grace: settings.shutdownTimeout, retry: settings.retry, retention: settings.retention,
            price: { [store] route, model, time in
                store.prices.price(of: route, answeredBy: model, at: time)
            })
        terms.partition = partition
        let worker = Worker(
            store: store, caller: caller, settings: terms, log: log,
            batches: partition == .interactive ? nil : batches(of: providers, client))
        let service = Service(name: partition == .interactive ? "interactive calls" : "worker") {
            log.info(
                partition == .interactive ? "interactive calls are made here" : "worker starts",
                [
                    "worker": "\(name)", "slots": .int(slots),
                    "provider": "\(caller.services.map(\.endpoint).joined(separator: " "))",
                ])
            try await worker.run()
            client.shutdown()
        }
        return (worker, service)
    }
}

extension ServiceContext {
    /// What a worker needs to send jobs with the providers' own batches; nil if none takes any.
    private func batches(of providers: Providers, _ client: HTTPClient) -> ProviderBatchSettings? {
        let services = providers.batchServices
        guard !services.isEmpty else { return nil }
        var terms = settings.halfPrice
        terms.services = services.map(\.key)
        return ProviderBatchSettings(
            store: store, provider: AnthropicBatches(services: services, client: client, clock: store),
            terms: terms)
    }
}

extension HTTPRequest.Timeouts {
    init(_ timeouts: ServiceSettings.Timeouts) {
        func seconds(_ milliseconds: Milliseconds) -> Double { Double(milliseconds) / 1000 }
        self.init(
            connect: seconds(timeouts.connect), write: seconds(timeouts.write), idle: seconds(timeouts.idle),
            head: 600, call: seconds(timeouts.call))
    }
}
