/// A limit per minute, shared by all replicas: continuous, as the provider's own are.
///
/// Filled to 98 % of the stated limit, so that calls which arrive a little late do not overshoot it.
package struct TokenBucket: Hashable, Sendable {
    /// The limit as stated or learned, per minute.
    package private(set) var perMinute: Int
    /// What may be used; below zero after a debt.
    package private(set) var level: Double
    /// When `level` was true.
    package private(set) var at: Moment

    package static let fill = 0.98

    /// A full bucket.
    package init(perMinute: Int, at now: Moment) {
        self.perMinute = perMinute
        level = Double(perMinute) * Self.fill
        at = now
    }

    /// A bucket as it was stored.
    package init(perMinute: Int, level: Double, at: Moment) {
        self.perMinute = perMinute
        self.level = level
        self.at = at
    }

    package var capacity: Double { Double(perMinute) * Self.fill }
    private var perMillisecond: Double { capacity / 60_000 }

    /// Refills up to `now`.
    ///
    /// Of a moment of another boot it is only known that it is past: nothing is added for it.
    package mutating func advance(to now: Moment) {
        if at.boot == now.boot {
            level = min(capacity, level + Double(max(0, now.milliseconds - at.milliseconds)) * perMillisecond)
        }
        at = Moment(
            boot: now.boot,
            milliseconds: at.boot == now.boot ? max(at.milliseconds, now.milliseconds) : now.milliseconds)
    }

    /// Whether `amount` may be taken: as much is there, or the bucket is full and the rest becomes a debt.
    package func allows(_ amount: Double) -> Bool {
        level >= min(amount, capacity)
    }

    package mutating func take(_ amount: Double) {
        level -= amount
    }

    package mutating func giveBack(_ amount: Double) {
        level = min(capacity, level + amount)
    }

    /// How long until `amount` is there, rounded up.
    package func wait(for amount: Double) -> Milliseconds {
        let missing = min(amount, capacity) - level
        guard missing > 0, perMillisecond > 0 else { return 0 }
        return Milliseconds((missing / perMillisecond).rounded(.up))
    }

    /// The most that may be left now of what was there at some moment since then.
    package func most(of amount: Double, since then: Moment) -> Double {
        guard then.boot == at.boot else { return amount }
        return amount + Double(max(0, at.milliseconds - then.milliseconds)) * perMillisecond
    }

    /// Lowers the level to what the provider said remains, less what was reserved after that request was sent.
    package mutating func correct(remaining: Double, reservedSince: Double) {
        level = min(level, remaining - reservedSince)
    }

    /// Another limit: what was used stays used.
    package mutating func restate(perMinute new: Int) {
        let used = capacity - level
        perMinute = new
        level = capacity - used
    }
}
