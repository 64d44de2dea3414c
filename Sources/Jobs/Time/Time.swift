/// Calendar time: milliseconds since 1970-01-01T00:00:00Z.
///
/// For what people name: `run_at`, deadlines, budget windows, time to live. Never for leases or limits.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    package static func < (a: Timestamp, b: Timestamp) -> Bool {
        a.milliseconds < b.milliseconds
    }

    package static func + (a: Timestamp, b: Milliseconds) -> Timestamp {
        Timestamp(milliseconds: a.milliseconds &+ b)
    }

    package static func - (a: Timestamp, b: Timestamp) -> Milliseconds {
        a.milliseconds - b.milliseconds
    }
}

/// A length of time in milliseconds.
package typealias Milliseconds = Int64

/// A point on a clock that cannot be set: what leases, buckets and breakers are measured by.
///
/// A calendar that is set wrong expires nothing; moments of another epoch have passed.
package struct Moment: Hashable, Sendable {
    /// Which run of the store's clock it is of; numbers of different epochs cannot be compared.
    package var epoch: Int64
    /// Milliseconds since that epoch began.
    package var milliseconds: Int64

    package init(epoch: Int64, milliseconds: Int64) {
        self.epoch = epoch
        self.milliseconds = milliseconds
    }

    /// Whether this moment lies at or before `now`; always true for a moment of another epoch.
    package func hasPassed(at now: Moment) -> Bool {
        epoch != now.epoch || milliseconds <= now.milliseconds
    }

    package static func + (a: Moment, b: Milliseconds) -> Moment {
        Moment(epoch: a.epoch, milliseconds: a.milliseconds &+ b)
    }

    /// How long after `other` this is, below zero if before; of another epoch it means nothing.
    ///
    /// Holds at the largest number: either may come from a row that was written wrongly.
    package func since(_ other: Moment) -> Milliseconds {
        let (difference, overflows) = milliseconds.subtractingReportingOverflow(other.milliseconds)
        guard overflows else { return difference }
        return milliseconds < 0 ? .min : .max
    }
}

/// Both clocks, read together: time comes into the rules only as this argument.
package struct Now: Hashable, Sendable {
    /// The calendar that all processes of a database agree on.
    package var timestamp: Timestamp
    package var moment: Moment
    /// How far this process's own calendar is from that one; 0 if they agree.
    package var disagreement: Milliseconds

    package init(timestamp: Timestamp, moment: Moment, disagreement: Milliseconds = 0) {
        self.timestamp = timestamp
        self.moment = moment
        self.disagreement = disagreement
    }

    /// Whether what depends on the calendar may be deleted or ended: that cannot be taken back.
    package var isCertain: Bool { disagreement == 0 }

    /// Whether a job's deadline is over for good; never while calendars disagree.
    package func ends(_ deadline: Timestamp) -> Bool { isCertain && deadline <= timestamp }
}

/// Where `Now` comes from: the store, which corrects the system's clocks; a hand-turned one in tests.
package protocol Clock: Sendable {
    func now() -> Now
}
