/// Provider + endpoint + model + credential: what limits, breakers and cached answers belong to.
package struct RouteKey: Hashable, Sendable {
    package var service: ServiceKey
    package var model: String

    package init(service: ServiceKey, model: String) {
        self.service = service
        self.model = model
    }

    /// Whether the provider counts what it reads from its prompt cache against input tokens per minute: only of the oldest
    /// small models it does.
    package var countsCacheReads: Bool {
        ["claude-3-haiku", "claude-3-5-haiku"].contains { model.hasPrefix($0) }
    }

    /// What people call it: `anthropic/claude-haiku-4-5-20251001`.
    package var name: String { service.provider + "/" + model }
}

/// A provider's endpoint as one credential sees it: what a worker can or cannot call.
package struct ServiceKey: Hashable, Sendable {
    package var provider: String
    /// The base URL, without `/v1` and without a trailing slash.
    package var endpoint: String
    /// The credential's *name* (the environment variable), never its value: a corrected key keeps its route.
    package var credential: String
    /// Whether a simulator answers: its words are never served as a real model's.
    package var simulated: Bool

    package init(provider: String, endpoint: String, credential: String, simulated: Bool) {
        self.provider = provider
        self.endpoint = endpoint
        self.credential = credential
        self.simulated = simulated
    }
}

/// Limits per minute; nil if unset, then learned from the provider's headers.
package struct RouteLimits: Hashable, Sendable {
    package var requests: Int?
    package var inputTokens: Int?
    package var outputTokens: Int?
    /// Over how long the provider lets unused limits be saved up; nil for the minute that they are stated for.
    package var burst: Milliseconds?
    /// Whether a call reserves `max_tokens` of the output limit, instead of what answers are like.
    package var reservesMaxTokens: Bool

    package init(
        requests: Int? = nil, inputTokens: Int? = nil, outputTokens: Int? = nil, burst: Milliseconds? = nil,
        reservesMaxTokens: Bool = false
    ) {
        self.requests = requests
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.burst = burst
        self.reservesMaxTokens = reservesMaxTokens
    }
}

/// What a provider's rate-limit headers said with one answer.
package struct LimitReport: Hashable, Sendable {
    package struct Window: Hashable, Sendable {
        package let limit: Int
        package let remaining: Int?

        /// Bounded, as they come from outside: no limit is larger than a bucket's, and no more remains than the limit.
        package init(limit: Int, remaining: Int?) {
            let limit = max(0, min(limit, TokenBucket.most))
            self.limit = limit
            self.remaining = remaining.map { max(0, min($0, limit)) }
        }
    }

    package var requests: Window?
    package var inputTokens: Window?
    package var outputTokens: Window?

    package init(requests: Window? = nil, inputTokens: Window? = nil, outputTokens: Window? = nil) {
        self.requests = requests
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
