/// The gate of a route: open, or closed for all replicas at once, as it is a row that every claim reads.
///
/// A rate limit reopens by itself, with a ramp, but for one that asks for a long wait. Every other closing ends half-open:
/// one call goes as a probe, and what becomes of it opens the gate or closes it for longer. Pure: events in, the new gate
/// out.
package struct RouteGate: Hashable, Sendable {
    package enum State: String, Sendable {
        case open
        case rateLimited = "rate_limited"
        /// The provider is down or overloaded.
        case broken
        case credential
        case forbidden
        case spendCap = "spend_cap"
    }

    package var state: State
    /// Closed until then; afterwards open with a ramp, or half-open.
    package var until: Moment?
    /// The calendar date that a spend cap named, or the end of a long wait that a rate limit asked for.
    package var untilDate: Timestamp?
    package var closedAt: Moment?
    /// Consecutive failures of the provider while open.
    package var failures: Int
    /// How often in a row it closed: the exponent of the next wait.
    package var trips: Int
    /// Since when the ramp runs.
    package var rampFrom: Moment?

    package static let tripAfter = 5
    package static let rampLength: Milliseconds = 5000
    /// A probe that has said nothing for this long no longer keeps others back.
    package static let probePatience: Milliseconds = 35_000
    /// For so long a provider's wish is obeyed without asking again: what asks for more may be a mistake, which must not stop
    /// a fleet for a day.
    package static let obedience: Milliseconds = 300_000
    /// No gate closes for longer; a row that says so was written wrongly, or by a version that obeyed for a day.
    private static let longest: Milliseconds = 600_000

    package init(
        state: State = .open, until: Moment? = nil, untilDate: Timestamp? = nil, closedAt: Moment? = nil,
        failures: Int = 0, trips: Int = 0, rampFrom: Moment? = nil
    ) {
        self.state = state
        self.until = until
        self.untilDate = untilDate
        self.closedAt = closedAt
        self.failures = max(0, min(failures, Self.countsTo))
        self.trips = max(0, min(trips, Self.countsTo))
        self.rampFrom = rampFrom
    }

    private static let countsTo = 1_000_000

    // MARK: What a claim asks

    package enum Passage: Hashable, Sendable {
        /// As many calls as may be in flight on the route; nil for no limit of the gate's own.
        case open(atMost: Int?)
        case oneProbe
        case closed(for: Milliseconds)
    }

    package func passage(at now: Moment) -> Passage {
        if state != .open, let until, !until.hasPassed(at: now) {
            let wait = until.since(now)
            return wait <= Self.longest ? .closed(for: wait) : .oneProbe
        }
        switch state {
        case .open: return .open(atMost: rampLimit(at: now, from: rampFrom))
        case .rateLimited where untilDate == nil: return .open(atMost: rampLimit(at: now, from: until))
        case .rateLimited, .broken, .credential, .forbidden, .spendCap: return .oneProbe
        }
    }

    /// Doubles twice a second: 2, 3, 5, 9, 17 … and no limit after five seconds.
    private func rampLimit(at now: Moment, from start: Moment?) -> Int? {
        guard let start, start.epoch == now.epoch else { return nil }
        let elapsed = now.since(start)
        guard elapsed < Self.rampLength, elapsed >= -Self.longest else { return nil }
        return 1 + 1 << Int(max(0, elapsed) / 500)
    }

    /// The probe was sent: the gate is closed to others until it is answered.
    package mutating func probeSent(at now: Moment) {
        until = now + Self.probePatience
        closedAt = now
    }

    /// Whether the call that was claimed then is the probe that is awaited.
    private func isProbe(_ claimedAt: Moment) -> Bool { awaitsProbe && closedAt == claimedAt }

    private var awaitsProbe: Bool {
        guard state != .open, let closedAt else { return false }
        return until == closedAt + Self.probePatience
    }

    /// Whether a good answer opens a broken route, though a younger probe is out by now: if answers take longer than the
    /// patience with a probe, no probe would ever be the youngest.
    private var believesAny: Bool { state == .broken && awaitsProbe }

    // MARK: What answers tell

    /// An honest answer has begun: if it is the probe's, the provider is well, however long the answer takes.
    package mutating func begin(claimedAt: Moment, now: Moment) {
        if isProbe(claimedAt) || believesAny { reopen(at: now) }
    }

    /// Applies what one call said of the route.
    ///
    /// `claimedAt` is when that call's attempt was opened: what was sent before the gate closed says nothing new.
    package mutating func apply(
        _ event: RouteEvent, claimedAt: Moment, now: Now, using random: inout some RandomNumberGenerator
    ) {
        let isNews =
            closedAt.map { claimedAt.epoch != $0.epoch || claimedAt.milliseconds >= $0.milliseconds } ?? true
        switch event {
        case .succeeded, .refused:
            // What passed the gate just before it closed may still succeed; the provider asked to wait all the same.
            if isProbe(claimedAt) || believesAny || isNews && asked(at: now.moment) == nil {
                reopen(at: now.moment)
            }
        case .rateLimited(let retryAfter):
            rateLimit(retryAfter, claimedAt: claimedAt, isNews: isNews, now: now, using: &random)
        case .overloaded(let retryAfter):
            let least = min(retryAfter ?? 0, Self.obedience)
            if isNews {
                fail(least: least, answersProbe: isProbe(claimedAt), now: now.moment, using: &random)
            }
        case .unavailable:
            if isNews { fail(least: 0, answersProbe: isProbe(claimedAt), now: now.moment, using: &random) }
        case .unauthorized:
            if isNews { close(.credential, base: 1000, cap: 4000, now: now.moment, using: &random) }
        case .forbidden:
            if isNews { suspect(.forbidden, confirmedBy: state == .forbidden, now: now, using: &random) }
        case .spendCapped(let until, let suspected):
            guard isNews else { return }
            suspect(.spendCap, confirmedBy: !suspected || state == .spendCap, now: now, using: &random)
            untilDate = until ?? now.timestamp.startOfNextMonth
        case .neutral:
            // An unanswered probe makes room for the next one.
            if isProbe(claimedAt) { until = now.moment }
        }
    }

    private mutating func reopen(at now: Moment) {
        failures = 0
        trips = 0
        guard state != .open else { return }
        rampFrom = state == .rateLimited && until?.hasPassed(at: now) == true ? until : now
        state = .open
        until = nil
        untilDate = nil
        closedAt = nil
    }

    private mutating func rateLimit(
        _ retryAfter: Milliseconds?, claimedAt: Moment, isNews: Bool, now: Now,
        using random: inout some RandomNumberGenerator
    ) {
        if isNews { trips = min(trips + 1, Self.countsTo) }
        let end = now.moment + wait(retryAfter, using: &random)
        let answersProbe = isProbe(claimedAt)
        switch state {
        case .credential, .forbidden, .spendCap:
            // It did not get as far as the question: the next probe asks it, after the wait.
            if answersProbe { until = end } else if retryAfter != nil { until = later(end) }
            return
        case .broken where !answersProbe:
            if retryAfter != nil { until = later(end) }
            return
        case .open, .rateLimited, .broken:
            break
        }
        if state == .open || answersProbe || until?.hasPassed(at: now.moment) ?? true {
            closedAt = now.moment
        }
        let lasts = answersProbe || later(end) == end
        until = answersProbe ? end : later(end)
        if lasts { untilDate = retryAfter.flatMap { $0 > Self.obedience ? now.timestamp + $0 : nil } }
        if state == .broken { failures = 0 }
        state = .rateLimited
    }

    /// As the provider asks, up to some minutes, and longer each time if it says nothing; with jitter either way.
    private func wait(
        _ retryAfter: Milliseconds?, using random: inout some RandomNumberGenerator
    ) -> Milliseconds {
        if let retryAfter {
            let asked = max(0, min(retryAfter, Self.obedience))
            return asked + .random(in: 0...max(100, asked / 20), using: &random)
        }
        let growing: Milliseconds = min(60_000, 1000 << Milliseconds(min(trips, 6)))
        return .random(in: max(1000, growing / 2)...growing, using: &random)
    }

    /// That moment, or the one until which it is closed already if that is later.
    private func later(_ end: Moment) -> Moment {
        guard let until, !until.hasPassed(at: end), until.since(end) <= Self.longest else { return end }
        return until
    }

    private mutating func fail(
        least: Milliseconds, answersProbe: Bool, now: Moment, using random: inout some RandomNumberGenerator
    ) {
        failures = min(failures + 1, Self.countsTo)
        switch state {
        case .open, .rateLimited:
            guard failures >= Self.tripAfter else {
                if answersProbe { until = now + 2000 }
                return
            }
        case .broken:
            break
        case .credential, .forbidden, .spendCap:
            // The probe did not get as far as the question it was to answer.
            until = now + 2000
            return
        }
        close(.broken, base: 1000, cap: 5000, least: least, now: now, using: &random)
    }

    /// The first time only lets a probe through; what the probe says then counts.
    private mutating func suspect(
        _ new: State, confirmedBy confirmed: Bool, now: Now, using random: inout some RandomNumberGenerator
    ) {
        if confirmed {
            close(new, base: 10_000, cap: 60_000, now: now.moment, using: &random)
        } else {
            until = asked(at: now.moment) ?? now.moment
            untilDate = nil
            state = new
            closedAt = now.moment
        }
    }

    /// Never for less than the provider asked for, now or before.
    private mutating func close(
        _ new: State, base: Milliseconds, cap: Milliseconds, least: Milliseconds = 0, now: Moment,
        using random: inout some RandomNumberGenerator
    ) {
        let ceiling = min(cap, base << min(trips, 10))
        let end = now + (least + .random(in: (ceiling / 2)...ceiling, using: &random))
        until = asked(at: end) ?? end
        state = new
        closedAt = now
        untilDate = nil
        trips = min(trips + 1, Self.countsTo)
    }

    /// Until when the provider asked to wait, if that is still to come.
    private func asked(at now: Moment) -> Moment? {
        guard state == .rateLimited, let until, !until.hasPassed(at: now), until.since(now) <= Self.longest
        else { return nil }
        return until
    }
}

extension Timestamp {
    /// 00:00 UTC of the first day of the next month.
    package var startOfNextMonth: Timestamp {
        let text = self.text
        guard let year = Int(text.prefix(4)), let month = Int(text.dropFirst(5).prefix(2)) else {
            return self
        }
        let next = month == 12 ? (year + 1, 1) : (year, month + 1)
        let digits = next.1 < 10 ? "0\(next.1)" : "\(next.1)"
        return Timestamp(text: "\(next.0)-\(digits)-01T00:00:00Z") ?? self
    }
}
