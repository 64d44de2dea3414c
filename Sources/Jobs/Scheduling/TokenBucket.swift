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
    /// A larger limit is none, and a level of doubles still counts every token below it.
    package static let most = 1_000_000_000_000

    /// A full bucket.
    package init(perMinute: Int, at now: Moment, window: Milliseconds = Self.minute) {
        self.perMinute = Self.bounded(perMinute)
        self.window = Self.bounded(window)
        level = 0
        at = now
        level = capacity
    }

    /// A bucket as it was stored; `largest` is the largest call that can have caused a debt.
    ///
    /// What no call can have caused is forgotten: a row that was written wrongly holds nothing back.
    package init(
        perMinute: Int, level: Double, at: Moment, window: Milliseconds = Self.minute,
        largest: Double = .infinity
    ) {
        self.perMinute = Self.bounded(perMinute)
        self.window = Self.bounded(window)
        self.level = 0
        self.at = at
        let isSane = level.isFinite && level >= -max(capacity, largest)
        self.level = isSane ? min(level, capacity) : capacity
    }

    private static func bounded(_ perMinute: Int) -> Int { max(1, min(perMinute, most)) }
    private static func bounded(_ window: Milliseconds) -> Milliseconds { max(1, min(window, minute)) }

    /// In a short window a fifth is left for calls that reach the provider closer together than they were let go.
    package var capacity: Double {
        guard window < Self.minute else { return Double(perMinute) * Self.fill }
        return max(1, Double(perMinute) * Double(window) / Double(Self.minute) * 0.8)
    }
    /// What comes in a millisecond.
    package var perMillisecond: Double { Double(perMinute) * Self.fill / Double(Self.minute) }

    /// Refills up to `now`.
    ///
    /// Of a moment of another epoch it is only known that it is past: nothing is added for it.
    package mutating func advance(to now: Moment) {
        guard at.epoch == now.epoch else { return at = now }
        let passed = now.since(at)
        if passed > 0 { level = min(capacity, level + Double(passed) * perMillisecond) }
        // Processes read the clock a moment apart; what lies further ahead was written wrongly. It must not have to be
        // written again to be of use.
        if passed < -Self.minute { level = capacity }
        if passed > 0 || passed < -Self.minute { at = now }
    }

    /// Whether `amount` may be taken: as much is there, or the bucket is full and the rest becomes a debt.
    package func allows(_ amount: Double) -> Bool {
        level >= min(amount, capacity)
    }

    package mutating func take(_ amount: Double) {
        level -= amount
    }

    /// Closes a call: gives back what it did not use of what it took, or takes what it used beyond.
    ///
    /// `open` is what calls in flight have taken. Whatever an answer says, the debt that is left is theirs at most, or one
    /// that another call like this waits out within a minute.
    package mutating func settle(taken: Double, used: Double, open: Double) {
        level = min(capacity, max(lowest(after: taken, open: open), level + taken - used))
    }

    private func lowest(after taken: Double, open: Double) -> Double {
        min(min(taken, capacity) - capacity, capacity - open)
    }

    /// How long until `amount` is there, rounded up.
    package func wait(for amount: Double) -> Milliseconds {
        let missing = min(amount, capacity) - level
        guard missing > 0 else { return 0 }
        return Milliseconds(min(missing / perMillisecond, 1e15).rounded(.up))
    }

    /// The most that may be left now of what was there at some moment since then.
    package func most(of amount: Double, since then: Moment) -> Double {
        guard then.epoch == at.epoch else { return amount }
        return amount + Double(max(0, at.since(then))) * perMillisecond
    }

    /// Lowers the level to what the provider said remains, less what was reserved after that request was sent; as far as a
    /// call that took so much would bear it.
    package mutating func correct(remaining: Double, reservedSince: Double, taken: Double, open: Double) {
        level = min(level, max(lowest(after: taken, open: open), remaining - reservedSince))
    }

    /// Another limit: what was used stays used, and debts are forgotten, as it is unknown which of the limits was true.
    package mutating func restate(perMinute new: Int) {
        let used = capacity - level
        perMinute = Self.bounded(new)
        level = max(0, capacity - used)
    }

    /// Another window: what is there stays, and what is owed, as far as it fits.
    package mutating func narrow(to window: Milliseconds) {
        guard Self.bounded(window) != self.window else { return }
        self.window = Self.bounded(window)
        level = min(max(level, -capacity), capacity)
    }
}
