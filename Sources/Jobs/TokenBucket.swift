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

    /// Over how long what was not used is saved up: a bucket holds what comes in this time.
    ///
    /// A provider that enforces its limit within a shorter time than a minute is met by a shorter window. The rate stays, so
    /// one bucket of the shortest window keeps all longer ones too.
    package private(set) var window: Milliseconds

    package static let fill = 0.98
    package static let minute: Milliseconds = 60_000

    /// A full bucket.
    package init(perMinute: Int, at now: Moment, window: Milliseconds = Self.minute) {
        self.perMinute = perMinute
        self.window = window
        level = 0
        at = now
        level = capacity
    }

    /// A bucket as it was stored.
    package init(perMinute: Int, level: Double, at: Moment, window: Milliseconds = Self.minute) {
        self.perMinute = perMinute
        self.level = level
        self.at = at
        self.window = window
    }

    /// In a short window a fifth is left for calls that reach the provider closer together than they were let go.
    package var capacity: Double {
        guard window < Self.minute else { return Double(perMinute) * Self.fill }
        return max(1, Double(perMinute) * Double(window) / Double(Self.minute) * 0.8)
    }
    /// What comes in a millisecond.
    package var perMillisecond: Double { Double(perMinute) * Self.fill / Double(Self.minute) }

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

    /// Another window: what is there stays, as far as it fits.
    package mutating func narrow(to window: Milliseconds) {
        self.window = window
        level = min(level, capacity)
    }
}
