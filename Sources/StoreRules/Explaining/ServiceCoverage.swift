import Jobs

/// Whether a service has a worker that calls it.
enum ServiceCoverage {
    /// No worker runs at all.
    case noWorkers
    /// Workers run, but none that calls this service.
    case otherServices
    case served

    init(_ callers: [ServiceCaller]) {
        self =
            callers.isEmpty
            ? .noWorkers : callers.contains(where: \.callsIt) ? .served : .otherServices
    }
}

/// A worker that lives, as to whether it calls a service.
package struct ServiceCaller: Sendable {
    private let namesIt: Bool
    private let namesNone: Bool

    package init(namesIt: Bool, namesNone: Bool) {
        self.namesIt = namesIt
        self.namesNone = namesNone
    }

    /// A worker that did not say what it calls is believed to call everything.
    var callsIt: Bool { namesIt || namesNone }
}

extension RouteKey {
    /// What a job says that waits for a service which no worker calls.
    var noWorkerDescription: String {
        let credential = service.credential.isEmpty ? " without a key" : " with \(service.credential)"
        return """
            no worker that runs calls \(service.provider) at \(service.endpoint)\(credential): start one that does, or \
            move its jobs with `renga retry --model \(model) --set model=\(model)`
            """
    }
}
