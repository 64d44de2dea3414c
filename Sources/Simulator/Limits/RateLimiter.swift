import Synchronization

/// Requests, input tokens and output tokens per minute, one set of buckets for each class of models.
///
/// All keys belong to one organization, so two clients compete for the same buckets.
final class RateLimiter: Sendable {
    /// What a call was let through with, so that its end can be corrected against it.
    struct Admission: Sendable {
        let limitClass: String
        let input: Int
        let reservedOutput: Int
    }

    /// The limit that refused, and for how long it will.
    struct Refusal: Error {
        let meter: String
        let limit: Int
        let milliseconds: Int64
    }

    private let limits: SimulatorSettings.Limits
    private let meters = Mutex<[String: Meters]>([:])

    init(_ limits: SimulatorSettings.Limits) {
        self.limits = limits
    }

    func admit(
        _ limitClass: String, input: Int, maxTokens: Int, at now: Int64
    ) throws(Refusal) -> Admission {
        let reserved = limits.reservesOutput ? maxTokens : 0
        let refusal = withMeters(limitClass, at: now) { meters in
            meters.admit(input: input, output: reserved, at: now)
        }
        if let refusal { throw refusal }
        return Admission(limitClass: limitClass, input: input, reservedOutput: reserved)
    }

    /// Corrects what was taken at admission to what was used: nothing for a call that failed.
    func settle(_ admission: Admission, input: Int, output: Int, at now: Int64) {
        withMeters(admission.limitClass, at: now) { meters in
            meters.input?.take(Double(input - admission.input), at: now)
            meters.output?.take(Double(output - admission.reservedOutput), at: now)
        }
    }

    /// The present rate-limit headers; nothing for limits that are not set.
    func headers(_ limitClass: String, in dialect: Dialect, uptime: Int64, timestamp: Int64) -> [(
        String, String
    )] {
        guard limits.areSet else { return [] }
        return withMeters(limitClass, at: uptime) { meters in
            dialect.isChat
                ? meters.chatHeaders(uptime: uptime)
                : meters.headers(uptime: uptime, timestamp: timestamp)
        }
    }

    private func withMeters<R: Sendable>(
        _ limitClass: String, at now: Int64, _ body: (inout sending Meters) -> sending R
    ) -> R {
        meters.withLock { all in
            var meters = all[limitClass] ?? Meters(limits, now: now)
            let result = body(&meters)
            all[limitClass] = meters
            return result
        }
    }
}

struct Meters: Sendable {
    var requests: TokenBucket?
    /// Stricter than `requests` in a shorter window; headers do not tell of it, as the provider's do not.
    var burst: TokenBucket?
    var input: TokenBucket?
    var output: TokenBucket?

    init(_ limits: SimulatorSettings.Limits, now: Int64) {
        func bucket(_ limit: Int, _ window: Double = 60) -> TokenBucket? {
            limit > 0 ? TokenBucket(limit: limit, window: window, now: now) : nil
        }
        requests = bucket(limits.rpm)
        burst = limits.burstWindow > 0 ? bucket(limits.rpm, limits.burstWindow) : nil
        input = bucket(limits.itpm)
        output = bucket(limits.otpm)
    }

    /// Takes from every bucket, or from none and says which refused for longest.
    mutating func admit(input tokens: Int, output: Int, at now: Int64) -> RateLimiter.Refusal? {
        let waits = [
            (meter: "requests", limit: requests?.limit, wait: requests?.wait(for: 1, at: now)),
            (meter: "requests", limit: burst?.limit, wait: burst?.wait(for: 1, at: now)),
            (meter: "input tokens", limit: input?.limit, wait: input?.wait(for: Double(tokens), at: now)),
            (
                meter: "output tokens", limit: self.output?.limit,
                wait: self.output?.wait(for: Double(max(1, output)), at: now)
            ),
        ]
        if let longest = waits.max(by: { ($0.wait ?? 0) < ($1.wait ?? 0) }), let wait = longest.wait, wait > 0
        {
            return RateLimiter.Refusal(meter: longest.meter, limit: longest.limit ?? 0, milliseconds: wait)
        }
        requests?.take(1, at: now)
        burst?.take(1, at: now)
        input?.take(Double(tokens), at: now)
        self.output?.take(Double(output), at: now)
        return nil
    }
}
