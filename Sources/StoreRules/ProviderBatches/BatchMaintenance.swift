package import Jobs

// What one run of maintenance goes by.
extension HalfPriceTerms {
    /// A job whose deadline comes before then cannot wait any longer for what a provider batch will bring.
    package func lastDeadline(at now: Timestamp) -> Timestamp { now + deadlineMargin / 3 }

    /// A queued job whose deadline comes before then has no time left for a provider batch.
    package func firstDeadline(at now: Timestamp) -> Timestamp { now + leastTime }
}

extension ProviderBatch.State {
    /// Whether the provider may have billed what comes back of it without an answer.
    package var mayBeBilled: Bool { self == .lost }
}

extension RouteState {
    /// Whether its provider can be asked about a batch: one that is to be made there waits until the route takes any.
    package func canAttend(
        _ state: ProviderBatch.State, _ terms: HalfPriceTerms, now: Now
    ) -> Bool {
        guard terms.services.contains(key.service) else { return false }
        return state != .sealed || takesProviderBatches(terms, now: now)
    }
}
