/// How fast a route's calls can go, and what sets that.
package struct Pace: Hashable, Sendable {
    /// What keeps it from being faster.
    package enum Bound: Hashable, Sendable {
        case meter(RouteLedger.Meter)
        /// The concurrency that a provider without stated limits has borne.
        case learnedConcurrency
        case slots
    }

    package var callsPerSecond: Double
    package var bound: Bound

    package init(callsPerSecond: Double, bound: Bound) {
        self.callsPerSecond = callsPerSecond
        self.bound = bound
    }
}

extension RouteLedger {
    /// The slowest of the meters, the slots of all workers and the concurrency; nil before anything is known.
    package func pace(slots: Int) -> Pace? {
        var paces: [Pace] = Meter.allCases.compactMap { meter in
            guard let line = lines[meter] else { return nil }
            let perCall = meter == .requests ? 1 : meter == .inputTokens ? profile.input : profile.output
            guard perCall > 0 else { return nil }
            let perSecond = line.bucket.perMillisecond * 1000
            return Pace(callsPerSecond: perSecond / perCall, bound: .meter(meter))
        }
        if profile.answers > 0 {
            let perSlot = 1000 / max(1, profile.callMilliseconds)
            paces.append(Pace(callsPerSecond: Double(slots) * perSlot, bound: .slots))
            if lines.isEmpty {
                paces.append(
                    Pace(callsPerSecond: Double(window.calls) * perSlot, bound: .learnedConcurrency))
            }
        }
        return paces.min { $0.callsPerSecond < $1.callsPerSecond }
    }

    /// What is used of a meter now, 0 to 1: an empty bucket is a limit used to the full.
    package func usedShare(of meter: Meter) -> Double? {
        guard let line = lines[meter], line.bucket.capacity > 0 else { return nil }
        return min(1, max(0, 1 - line.bucket.level / line.bucket.capacity))
    }
}

/// What holds back a route that has jobs waiting, in words for its operator.
package struct Binding: Hashable, Sendable {
    /// Such as “output tokens per minute, 97 % used”.
    package var detail: String
    /// Whether more workers would make it faster.
    package var moreReplicasHelp: Bool

    package init(detail: String, moreReplicasHelp: Bool) {
        self.detail = detail
        self.moreReplicasHelp = moreReplicasHelp
    }
}

extension RouteLedger {
    /// What binds while `head`, the job whose turn it is, waits: a gate, a meter, or the slots of the workers.
    package func binding(head: Need, queue: Queue, slots: Int, now: Moment) -> Binding {
        guard case .refused(let gate, let detail, _) = admission(of: head, in: queue, now: now) else {
            let used = "\(running) calls in flight, \(slots) slots"
            return Binding(
                detail: slots == 0 ? "no worker is running" : "worker slots: \(used)",
                moreReplicasHelp: slots == 0 || running >= slots)
        }
        if gate == .concurrency, let concurrency, running >= concurrency {
            return Binding(
                detail: "calls in flight, \(running) of \(concurrency)", moreReplicasHelp: false)
        }
        let meter = Meter.allCases.first { $0.words == detail }
        guard gate == .rateLimit, let meter, let used = usedShare(of: meter) else {
            return Binding(detail: detail, moreReplicasHelp: false)
        }
        return Binding(
            detail: "\(meter.words), \(Int((used * 100).rounded())) % used", moreReplicasHelp: false)
    }
}
