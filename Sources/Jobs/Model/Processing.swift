/// How soon a job's answer is wanted, and so at which price.
package enum Processing: String, Sendable, CaseIterable {
    /// The cheapest that meets the deadline; without a deadline, at once.
    case auto
    /// At once, as the limits allow.
    case realtime
    /// With the provider's own batches, at half the price: mostly within the hour, at the latest after a day.
    case batch
}

/// When the half-price lane is used; durations in milliseconds.
package struct HalfPriceTerms: Hashable, Sendable {
    /// How long the first job of a provider batch waits for others.
    package var linger: Milliseconds = 60_000
    /// How far looks at one provider batch are apart.
    package var poll: Milliseconds = 60_000
    /// So long before its deadline a job is called back, to be done at the whole price.
    package var deadlineMargin: Milliseconds = 900_000
    /// Services whose provider takes batches.
    package var services: [ServiceKey] = []

    /// What one provider batch has at most: the upload is held in memory, and one that is called back comes back whole.
    ///
    /// The provider takes ten times as much (https://platform.claude.com/docs/en/build-with-claude/batch-processing).
    package static let mostRequests = 10_000
    package static let mostBytes = 32 << 20

    package init(services: [ServiceKey] = []) {
        self.services = services
    }

    /// The least time that is worth the try: what is left of it after the margin is as long as that.
    package var leastTime: Milliseconds { 2 * deadlineMargin }

    package func hasRoom(until deadline: Timestamp?, at now: Timestamp) -> Bool {
        deadline.map { $0 - now >= leastTime } ?? true
    }

    /// Whether a job of this service should wait for a provider batch.
    package func takes(
        _ processing: Processing, of service: ServiceKey, deadline: Timestamp?, at now: Timestamp
    ) -> Bool {
        guard services.contains(service), hasRoom(until: deadline, at: now) else { return false }
        return switch processing {
        case .auto: deadline != nil
        case .realtime: false
        case .batch: true
        }
    }

    /// Members that the provider refuses in the requests of its batches.
    ///
    /// Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing
    package static let refusedMembers = [
        "thread", "speed", "fallbacks", "fallback_credit_token", "compaction", "cache_hint", "context_hint",
    ]

    /// Jobs that travel together have about as much time: each class has twice that of the one before.
    ///
    /// One that must be called back for its deadline's sake takes only its like with it.
    package func deadlineClass(until deadline: Timestamp?, at now: Timestamp) -> Int {
        guard let deadline else { return Int.max >> 1 }
        var (deadlineClass, limit) = (0, 2 * leastTime)
        while deadline - now >= limit, deadlineClass < 20 {
            deadlineClass += 1
            limit *= 2
        }
        return deadlineClass
    }
}
