/// The calendar that the processes of one database agree on, carried on by the boot clock, which cannot be set.
///
/// Pure: a store keeps it, and each process has it look at the process's own calendar now and then. A calendar that
/// differs is a *claim*: it counts only once it was made for as long as `patience` says, without a pause and without
/// anybody whose own calendar agrees with what is remembered.
package struct AgreedCalendar: Hashable, Sendable {
    /// A calendar that differs from what is remembered.
    package struct Claim: Hashable, Sendable {
        /// How far it is ahead; below zero if it is behind.
        package var offset: Milliseconds
        /// Since when no process has contradicted it.
        package var since: Moment
        package var seenAt: Moment

        package init(offset: Milliseconds, since: Moment, seenAt: Moment) {
            self.offset = offset
            self.since = since
            self.seenAt = seenAt
        }
    }

    /// A calendar and a moment that were one.
    package var timestamp: Timestamp
    package var moment: Moment
    /// When a process last agreed.
    package var confirmedAt: Moment
    package var claim: Claim?
    /// After a boot that leapt over days: until when nothing is deleted or ended, and how far it leapt.
    package var trialUntil: Moment?
    package var leap: Milliseconds
    /// How far corrections have moved the calendar ahead, and when they last did: what was kept before is that much
    /// younger than its times say.
    package var moved: Milliseconds
    package var movedAt: Timestamp

    /// Calendars that differ by no more than this agree.
    package static let tolerance: Milliseconds = 60_000
    /// A boot that leaps further is on trial.
    package static let longestStop: Milliseconds = 86_400_000
    /// A claim that is not made again for so long has been given up.
    package static let longestSilence: Milliseconds = 30_000
    /// What is remembered moves with slow drifts this often.
    private static let renewal: Milliseconds = 3_600_000

    /// The first process of a database says what the calendar is.
    package init(timestamp: Timestamp, moment: Moment) {
        self.timestamp = timestamp
        self.moment = moment
        confirmedAt = moment
        leap = 0
        moved = 0
        movedAt = Timestamp(milliseconds: 0)
    }

    /// What the calendar says at a moment of the same boot.
    package func timestamp(at moment: Moment) -> Timestamp {
        timestamp + moment.milliseconds.clampedDifference(self.moment.milliseconds)
    }

    // MARK: Reading

    /// What a process goes by whose own clocks say this.
    package func now(own: Now) -> Now {
        let own = own.bounded
        guard own.moment.epoch == moment.epoch else { return own }
        let agreed = timestamp(at: own.moment)
        let offset = own.timestamp.milliseconds.clampedDifference(agreed.milliseconds)
        guard abs(offset) <= Self.tolerance else {
            return Now(timestamp: agreed, moment: own.moment, disagreement: offset)
        }
        let isOnTrial = trialUntil.map { !$0.hasPassed(at: own.moment) } ?? false
        return Now(timestamp: own.timestamp, moment: own.moment, disagreement: isOnTrial ? leap : 0)
    }

    /// What was kept until then goes: no correction makes anything older at once.
    package func oldest(kept: Milliseconds, at now: Timestamp) -> Timestamp {
        let plain = now + -kept
        return plain < movedAt ? plain + -moved : plain
    }

    // MARK: Attesting

    /// A process says what its own clocks say.
    package mutating func attest(_ own: Now, patience: Milliseconds) {
        let own = own.bounded
        guard own.moment.epoch == moment.epoch else { return boot(own, patience) }
        let offset = own.timestamp.milliseconds.clampedDifference(timestamp(at: own.moment).milliseconds)
        if abs(offset) <= Self.tolerance { return confirm(own) }
        guard var claim, abs(claim.offset.clampedDifference(offset)) <= Self.tolerance,
            !(claim.seenAt + Self.longestSilence).hasPassed(at: own.moment)
        else {
            self.claim = Claim(offset: offset, since: own.moment, seenAt: own.moment)
            if patience <= 0 { accept(own, offset) }
            return
        }
        claim.seenAt = own.moment
        self.claim = claim
        if (claim.since + patience).hasPassed(at: own.moment) { accept(own, offset) }
    }

    private mutating func confirm(_ own: Now) {
        confirmedAt = own.moment
        // It is remembered for as long as it is made, so that operators see it.
        let isMade = claim.map { !($0.seenAt + Self.longestSilence).hasPassed(at: own.moment) } ?? false
        if isMade { claim?.since = own.moment } else { claim = nil }
        if trialUntil.map({ $0.hasPassed(at: own.moment) }) ?? false { (trialUntil, leap) = (nil, 0) }
        if !isMade, (moment + Self.renewal).hasPassed(at: own.moment) {
            (timestamp, moment) = (own.timestamp, own.moment)
        }
    }

    private mutating func accept(_ own: Now, _ offset: Milliseconds) {
        if offset > 0 { move(by: offset, to: own.timestamp) }
        (timestamp, moment, confirmedAt, claim) = (own.timestamp, own.moment, own.moment, nil)
        (trialUntil, leap) = (nil, 0)
    }

    private mutating func move(by offset: Milliseconds, to time: Timestamp) {
        moved = moved.clampedSum(offset)
        movedAt = time
    }

    /// Nothing carries the calendar over a boot but that it does not go back.
    private mutating func boot(_ own: Now, _ patience: Milliseconds) {
        let last = timestamp + max(0, confirmedAt.milliseconds.clampedDifference(moment.milliseconds))
        let leap = own.timestamp.milliseconds.clampedDifference(last.milliseconds)
        let isBehind = leap < -Self.tolerance
        timestamp = isBehind ? last : own.timestamp
        moment = own.moment
        confirmedAt = own.moment
        claim = isBehind ? Claim(offset: leap, since: own.moment, seenAt: own.moment) : nil
        let isOnTrial = leap > Self.longestStop && patience > 0
        trialUntil = isOnTrial ? own.moment + patience : nil
        self.leap = isOnTrial ? leap : 0
        // It cannot be known whether the machine stood still for so long, or its calendar is wrong.
        if leap > Self.longestStop { move(by: leap, to: own.timestamp) }
        if isBehind, patience <= 0 { accept(own, leap) }
    }
}

extension Now {
    /// From 1970 to 2199: no clock is right beyond, and times there are no text of renga's, or no number for a job.
    package var bounded: Now {
        var now = self
        now.timestamp.milliseconds = min(max(timestamp.milliseconds, 0), 7_258_118_399_999)
        return now
    }
}

extension Int64 {
    /// Clocks may say anything.
    fileprivate func clampedDifference(_ other: Int64) -> Int64 {
        let (value, overflows) = subtractingReportingOverflow(other)
        let limit = Int64.max / 4
        return overflows ? (self < 0 ? -limit : limit) : Swift.min(limit, Swift.max(-limit, value))
    }

    fileprivate func clampedSum(_ other: Int64) -> Int64 {
        let (value, overflows) = addingReportingOverflow(other)
        let limit = Int64.max / 4
        return overflows ? (self < 0 ? -limit : limit) : Swift.min(limit, Swift.max(-limit, value))
    }
}
