package import Jobs

/// A provider's key as some workers have it, known by its fingerprint: set aside by itself while the provider refuses it.
///
/// Workers with another key go on. A call now and then tries whether it is accepted again.
package struct CredentialState: Sendable {
    package let id: Int64
    package let service: ServiceKey
    /// Open, or of the state `credential`.
    package var gate: RouteGate

    package init(id: Int64, service: ServiceKey, gate: RouteGate) {
        self.id = id
        self.service = service
        self.gate = gate
    }

    package var isRefused: Bool { gate.state == .credential }

    /// Nil if a call may go, or one as a probe.
    package func closure(at now: Moment) -> RouteLedger.Admission? {
        guard case .closed(let wait) = gate.passage(at: now) else { return nil }
        return .refused(.pause, service.refusal(ofWorkers: []), after: wait)
    }
}

extension ServiceKey {
    /// Why calls with a key wait, and the cure.
    package func refusal(ofWorkers workers: [String]) -> String {
        let holders: String =
            switch workers.count {
            case 0: ""
            case 1: " of worker \(workers[0])"
            default:
                " of workers \(workers.prefix(3).joined(separator: ", "))\(workers.count > 3 ? " and more" : "")"
            }
        let restart = workers.isEmpty ? "restart the workers that have it" : "restart it"
        return """
            \(provider) refuses the API key \(credential)\(holders) (401): correct it and \(restart); it is tried again every \
            few seconds
            """
    }
}
