/// A limit per minute as the provider keeps it: full at the start and refilled continuously.
struct TokenBucket: Sendable {
    let limit: Int
    private let capacity: Double
    private let perMillisecond: Double
    private var level: Double
    private var moment: Int64

    /// `window` shortens the burst: 1 second lets through at once what one second refills (but at least one).
    init(limit: Int, window: Double = 60, now: Int64) {
        self.limit = limit
        capacity = max(1, Double(limit) * window / 60)
        perMillisecond = Double(limit) / 60_000
        level = capacity
        moment = now
    }

    /// What is left now; below zero after a correction or an answer that outran the limit.
    mutating func remaining(at now: Int64) -> Double {
        if now > moment {
            level = min(capacity, level + Double(now - moment) * perMillisecond)
            moment = now
        }
        return level
    }

    mutating func take(_ amount: Double, at now: Int64) {
        level = min(capacity, remaining(at: now) - amount)
    }

    /// Milliseconds until `amount` can be taken; 0 when it can be taken now.
    ///
    /// What is larger than the bucket never can: the wait is then until the bucket is full, and at least a second.
    mutating func wait(for amount: Double, at now: Int64) -> Int64 {
        let missing = min(amount, capacity) - remaining(at: now)
        if missing > 0 { return Int64((missing / perMillisecond).rounded(.up)) }
        return amount > capacity ? 1000 : 0
    }

    mutating func millisecondsToFull(at now: Int64) -> Int64 {
        Int64(((capacity - remaining(at: now)) / perMillisecond).rounded(.up))
    }
}
