/// The gate of a route: open, or closed for all replicas at once, as it is a row that every claim reads.
///
/// A rate limit reopens by itself, with a ramp. Every other closing ends half-open: one call goes as a probe, and what
/// becomes of it opens the gate or closes it for longer. Pure: events in, the new gate out.
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
    /// The calendar date that a spend cap named.
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

    package init(
        state: State = .open, until: Moment? = nil, untilDate: Timestamp? = nil, closedAt: Moment? = nil,
        failures: Int = 0, trips: Int = 0, rampFrom: Moment? = nil
    ) {
        self.state = state
        self.until = until
        self.untilDate = untilDate
        self.closedAt = closedAt
        self.failures = failures
        self.trips = trips
        self.rampFrom = rampFrom
    }

    // MARK: What a claim asks

    package enum Passage: Hashable, Sendable {
        /// As many calls as may be in flight on the route; nil for no limit of the gate's own.
        case open(atMost: Int?)
        case oneProbe
        case closed(for: Milliseconds)
    }

    package func passage(at now: Moment) -> Passage {
        if state != .open, let until, !until.hasPassed(at: now) {
            return .closed(for: until.milliseconds - now.milliseconds)
        }
        switch state {
        case .open: return .open(atMost: rampLimit(at: now, from: rampFrom))
        case .rateLimited: return .open(atMost: rampLimit(at: now, from: until))
        case .broken, .credential, .forbidden, .spendCap: return .oneProbe
        }
    }

    /// Doubles twice a second: 2, 3, 5, 9, 17 … and no limit after five seconds.
    private func rampLimit(at now: Moment, from start: Moment?) -> Int? {
        guard let start, start.boot == now.boot else { return nil }
        let elapsed = now.milliseconds - start.milliseconds
        guard elapsed < Self.rampLength else { return nil }
        return 1 + 1 << Int(max(0, elapsed) / 500)
    }

    /// The probe was sent: the gate is closed to others until it is answered.
    package mutating func probeSent(at now: Moment) {
        until = now + Self.probePatience
        closedAt = now
    }

    // MARK: What a settlement tells

    /// Applies what one call said of the route.
    ///
    /// `claimedAt` is when that call's attempt was opened: what was sent before the gate closed says nothing new.
    package mutating func apply(
        _ event: RouteEvent, claimedAt: Moment, now: Now, using random: inout some RandomNumberGenerator
    ) {
        let isNews =
            closedAt.map { claimedAt.boot != $0.boot || claimedAt.milliseconds >= $0.milliseconds } ?? true
        switch event {
        case .succeeded, .refused:
            // What passed the gate just before it closed may still succeed; the provider asked to wait all the same.
            if isNews, asked(at: now.moment) == nil { reopen(at: now.moment) }
        case .rateLimited(let retryAfter):
            rateLimit(retryAfter, isNews: isNews, now: now.moment, using: &random)
        case .overloaded(let retryAfter):
            fail(.broken, least: retryAfter ?? 0, isNews: isNews, now: now.moment, using: &random)
        case .unavailable:
            fail(.broken, least: 0, isNews: isNews, now: now.moment, using: &random)
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
            if state != .open, state != .rateLimited, isNews, closedAt == claimedAt { until = now.moment }
        }
    }

    private mutating func reopen(at now: Moment) {
        failures = 0
        trips = 0
        guard state != .open else { return }
        if state != .rateLimited { rampFrom = now } else { rampFrom = until }
        state = .open
        until = nil
        untilDate = nil
        closedAt = nil
    }

    private mutating func rateLimit(
        _ retryAfter: Milliseconds?, isNews: Bool, now: Moment, using random: inout some RandomNumberGenerator
    ) {
        guard state == .open || state == .rateLimited else { return }
        if isNews { trips += 1 }
        let growing: Milliseconds = min(60_000, 1000 << Milliseconds(min(trips, 6)))
        let wait: Milliseconds
        if let retryAfter {
            wait = retryAfter + Milliseconds.random(in: 0...max(100, retryAfter / 20), using: &random)
        } else {
            wait = Milliseconds.random(in: max(1000, growing / 2)...growing, using: &random)
        }
        if state == .open || until?.hasPassed(at: now) ?? true { closedAt = now }
        if until?.hasPassed(at: now + wait) ?? true { until = now + wait }
        state = .rateLimited
    }

    private mutating func fail(
        _ new: State, least: Milliseconds, isNews: Bool, now: Moment,
        using random: inout some RandomNumberGenerator
    ) {
        guard isNews else { return }
        failures += 1
        switch state {
        case .open, .rateLimited:
            guard failures >= Self.tripAfter else { return }
        case .broken:
            break
        case .credential, .forbidden, .spendCap:
            // The probe did not get as far as the question it was to answer.
            until = now + 2000
            return
        }
        close(new, base: 1000, cap: 5000, least: least, now: now, using: &random)
    }

    /// The first time only lets a probe through; what the probe says then counts.
    private mutating func suspect(
        _ new: State, confirmedBy confirmed: Bool, now: Now, using random: inout some RandomNumberGenerator
    ) {
        if confirmed {
            close(new, base: 10_000, cap: 60_000, now: now.moment, using: &random)
        } else {
            until = asked(at: now.moment) ?? now.moment
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
        trips += 1
    }

    /// Until when the provider asked to wait, where that is still to come.
    private func asked(at now: Moment) -> Moment? {
        guard state == .rateLimited, let until, !until.hasPassed(at: now) else { return nil }
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
