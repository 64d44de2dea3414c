package import Jobs

/// A worker with a service's key.
package struct KeyHolder: Sendable {
    package let worker: String
    /// Nil if the worker said nothing of its key.
    package let key: CredentialState?

    package init(worker: String, key: CredentialState?) {
        self.worker = worker
        self.key = key
    }

    /// What the operator is to do about the worker's key; nil if it is not refused.
    package var remedy: String? {
        key.flatMap { $0.isRefused ? $0.service.refusal(ofWorkers: [worker]) : nil }
    }
}

extension [KeyHolder] {
    /// What a job waits for if everybody who would call for it has a key that is refused; nil if somebody has another.
    package func closure(of service: ServiceKey, at now: Now) -> WaitingFor? {
        guard !isEmpty, allSatisfy({ $0.key?.isRefused == true }) else { return nil }
        let waits = compactMap { holder -> Milliseconds? in
            guard case .refused(_, _, let after?) = holder.key?.closure(at: now.moment) else { return nil }
            return after
        }
        return WaitingFor(
            reason: .pause, detail: service.refusal(ofWorkers: map(\.worker)),
            until: waits.min().map { now.timestamp + $0 })
    }
}
