import HTTPClient
import Jobs
import Models
import System
import Telemetry
import Worker

extension Foundations {
    /// A worker with its own client, which calls every provider that it has a key for.
    func worker(for providers: Providers) -> Service {
        let client = HTTPClient(maxConnections: settings.concurrency)
        let caller = providers.caller(
            client, CallSettings(timeouts: .init(settings.timeouts)), clock: clock, log: log)
        let host = hostName()
        let name = "\(host):\(processID)"
        let worker = Worker(
            store: store, caller: caller, clock: clock,
            settings: WorkerSettings(
                name: name, host: host, processID: processID, slots: settings.concurrency,
                lease: settings.lease,
                grace: settings.grace, retry: settings.retry, retention: settings.retention,
                price: { [table = settings.configuration.table] route, model in
                    table.price(of: route, answeredBy: model)
                }),
            log: log)
        return Service(name: "worker") {
            log.info(
                "worker starts",
                [
                    "worker": "\(name)", "slots": .int(settings.concurrency),
                    "provider": "\(caller.services.map(\.endpoint).joined(separator: " "))",
                ])
            try await worker.run()
            client.shutdown()
        }
    }
}

extension HTTPRequest.Timeouts {
    init(_ timeouts: ServiceSettings.Timeouts) {
        func seconds(_ milliseconds: Milliseconds) -> Double { Double(milliseconds) / 1000 }
        self.init(
            connect: seconds(timeouts.connect), write: seconds(timeouts.write), idle: seconds(timeouts.idle),
            call: seconds(timeouts.call))
    }
}
