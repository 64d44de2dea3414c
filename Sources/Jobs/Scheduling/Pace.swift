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
            let perCall = perCall(meter)
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

    /// What a call takes of a meter on average.
    private func perCall(_ meter: Meter) -> Double {
        switch meter {
        case .requests: 1
        case .inputTokens: profile.input
        case .outputTokens: profile.output
        }
    }

    /// What is used of a meter now, 0 to 1: an empty bucket is a limit used to the full.
    package func usedShare(of meter: Meter) -> Double? {
        guard let line = lines[meter], line.bucket.capacity > 0 else { return nil }
        return min(1, max(0, 1 - line.bucket.level / line.bucket.capacity))
    }
}

/// What holds back a route that has jobs waiting, in words for its operator.
package struct Bottleneck: Hashable, Sendable {
    /// Such as “output tokens per minute, 97 % used”.
    package var detail: String
    /// Whether more workers would make it faster.
    package var moreWorkersHelp: Bool

    package init(detail: String, moreWorkersHelp: Bool) {
        self.detail = detail
        self.moreWorkersHelp = moreWorkersHelp
    }
}

/// What waits for a route, and the workers there are for it.
package struct Backlog: Hashable, Sendable {
    /// Jobs that could run now, counted up to some limit.
    package var ready: Int
    /// Of all workers.
    package var slots: Int
    /// Slots that are taken.
    package var busy: Int

    package init(ready: Int, slots: Int, busy: Int) {
        self.ready = ready
        self.slots = slots
        self.busy = busy
    }

    /// Whether a cap on calls in flight stops more of them than the slots do.
    package func exceeds(cap: Int, running: Int) -> Bool {
        running >= cap || (cap <= slots && ready > cap - running)
    }
}

extension RouteLedger {
    /// What binds while the job waits whose turn it is and of which `admission` tells: a gate, a meter, a cap, or the slots of
    /// the workers.
    ///
    /// Derived from all that waits, as one instant's calls in flight change with every answer. Nil if nothing binds:
    /// there is a slot for each ready job.
    package func bottleneck(_ admission: Admission, backlog: Backlog, now: Moment) -> Bottleneck? {
        switch admission {
        case .refused(let gate, let detail, _): refusal(gate, detail)
        case .admitted: shortage(backlog, now: now)
        }
    }

    private func refusal(_ gate: WaitingFor.Reason, _ detail: String) -> Bottleneck {
        if gate == .concurrency, let concurrency, running >= concurrency { return cap(concurrency) }
        let meter = Meter.allCases.first { $0.description == detail }
        guard gate == .rateLimit, let meter else {
            return Bottleneck(detail: detail, moreWorkersHelp: false)
        }
        return limit(meter)
    }

    /// What the jobs that wait will meet though the first of them may go.
    private func shortage(_ backlog: Backlog, now: Moment) -> Bottleneck? {
        let (ready, slots, busy) = (backlog.ready, backlog.slots, backlog.busy)
        if slots == 0 { return Bottleneck(detail: "no worker is running", moreWorkersHelp: true) }
        if let concurrency, backlog.exceeds(cap: concurrency, running: running) { return cap(concurrency) }
        switch pace(slots: slots)?.bound {
        case .meter(let meter) where Double(ready) > callsLeft(of: meter): return limit(meter)
        case .learnedConcurrency where ready > window.calls(at: now) - running:
            return Bottleneck(detail: Self.learning, moreWorkersHelp: false)
        default: break
        }
        return ready > slots - busy
            ? Bottleneck(
                detail: "worker slots: \(busy) calls in flight, \(slots) slots", moreWorkersHelp: true)
            : nil
    }

    private func cap(_ concurrency: Int) -> Bottleneck {
        Bottleneck(detail: "calls in flight, \(running) of \(concurrency)", moreWorkersHelp: false)
    }

    private func limit(_ meter: Meter) -> Bottleneck {
        let used = usedShare(of: meter).map { ", \(Int(($0 * 100).rounded())) % used" } ?? ""
        return Bottleneck(detail: meter.description + used, moreWorkersHelp: false)
    }

    /// How many calls of the usual size a meter lets through at once.
    private func callsLeft(of meter: Meter) -> Double {
        guard let level = lines[meter]?.bucket.level else { return .infinity }
        return max(0, level) / max(1, perCall(meter))
    }
}
