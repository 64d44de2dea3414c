import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore: CalendarAttesting {
    /// Mostly nothing is written: a calendar that agrees is noted twice a minute, whichever process has it.
    package func attest() async throws {
        clock.goBy(try await agreed(with: clock.own(), clock.patience))
    }

    private func agreed(with own: Now, _ patience: Milliseconds) async throws -> AgreedCalendar {
        let known = try await read { connection in try CalendarRow.load(connection) }
        if let known, !CalendarRow.mustNote(known, own, patience) { return known }
        return try await write { context in
            let connection = context.connection
            var calendar =
                try CalendarRow.load(connection) ?? CalendarRow.remembered(connection)
                ?? AgreedCalendar(timestamp: own.timestamp, moment: own.moment)
            let before = calendar
            calendar.attest(own, patience: patience)
            try CalendarRow.save(calendar, connection)
            if calendar.timestamp(at: own.moment) < before.timestamp(at: own.moment) {
                try CalendarRow.hasten(to: calendar.timestamp(at: own.moment), connection)
            }
            return calendar
        }
    }
}

enum CalendarRow {
    /// So often one that agrees is noted.
    private static let rhythm: Milliseconds = 30_000

    static func load(_ connection: Connection) throws -> AgreedCalendar? {
        try connection.queryOne(
            """
            SELECT time, boot, moment, confirmed_at, claim_offset, claim_since, claim_seen_at, trial_until, leap,
                moved, moved_at
            FROM calendar
            """
        ) { row in
            let boot = row.int64(1)
            var calendar = AgreedCalendar(
                timestamp: Timestamp(milliseconds: row.int64(0)),
                moment: Moment(epoch: boot, milliseconds: row.int64(2)))
            calendar.confirmedAt = Moment(epoch: boot, milliseconds: row.int64(3))
            if let offset = row.int64OrNil(4) {
                calendar.claim = AgreedCalendar.Claim(
                    offset: offset, since: Moment(epoch: boot, milliseconds: row.int64OrNil(5) ?? 0),
                    seenAt: Moment(epoch: boot, milliseconds: row.int64OrNil(6) ?? 0))
            }
            calendar.trialUntil = row.int64OrNil(7).map { Moment(epoch: boot, milliseconds: $0) }
            calendar.leap = row.int64(8)
            calendar.moved = row.int64(9)
            calendar.movedAt = Timestamp(milliseconds: row.int64(10))
            return calendar
        }
    }

    /// What a database that was made before calendars were agreed on tells of an earlier boot; nil if it tells nothing.
    static func remembered(_ connection: Connection) throws -> AgreedCalendar? {
        let last = try connection.queryOne("SELECT max(seen_at) FROM worker") { row in row.int64OrNil(0) }
        return last.flatMap { $0 }.map { time in
            AgreedCalendar(
                timestamp: Timestamp(milliseconds: time), moment: Moment(epoch: 0, milliseconds: 0))
        }
    }

    static func save(_ calendar: AgreedCalendar, _ connection: Connection) throws {
        _ = try connection.run(
            """
            INSERT OR REPLACE INTO calendar (
                id, time, boot, moment, confirmed_at, claim_offset, claim_since, claim_seen_at, trial_until, leap,
                moved, moved_at
            )
            VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """,
            [
                .integer(calendar.timestamp.milliseconds), .integer(calendar.moment.epoch),
                .integer(calendar.moment.milliseconds), .integer(calendar.confirmedAt.milliseconds),
                .integer(calendar.claim?.offset), .integer(calendar.claim?.since.milliseconds),
                .integer(calendar.claim?.seenAt.milliseconds), .integer(calendar.trialUntil?.milliseconds),
                .integer(calendar.leap), .integer(calendar.moved), .integer(calendar.movedAt.milliseconds),
            ])
    }

    /// Whether what this process says changes what is remembered, or is due to be noted.
    static func mustNote(_ calendar: AgreedCalendar, _ own: Now, _ patience: Milliseconds) -> Bool {
        guard calendar.moment.epoch == own.moment.epoch, calendar.now(own: own).isCertain else { return true }
        return calendar.claim != nil || (calendar.confirmedAt + rhythm).hasPassed(at: own.moment)
    }

    /// The calendar went back: what waits for a backoff, and not for a time that somebody named, waits no longer than from
    /// now on; it looks at once.
    static func hasten(to now: Timestamp, _ connection: Connection) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET held_until = ?1
            WHERE held_until IS NOT NULL AND held_until > ?1 AND (run_at <= created_at OR run_at <= ?1)
            """, [.integer(now.milliseconds)])
    }

    /// The dispute that is going on; nil if all agree.
    static func dispute(_ connection: Connection, now: Now) throws -> CalendarDispute? {
        guard let calendar = try load(connection), calendar.moment.epoch == now.moment.epoch else {
            return nil
        }
        if let claim = calendar.claim,
            !(claim.seenAt + AgreedCalendar.longestSilence).hasPassed(at: now.moment)
        {
            return CalendarDispute(
                offset: claim.offset, age: now.moment.milliseconds - claim.since.milliseconds)
        }
        guard let trial = calendar.trialUntil, !trial.hasPassed(at: now.moment) else { return nil }
        return CalendarDispute(
            offset: calendar.leap, age: now.moment.milliseconds - calendar.moment.milliseconds)
    }
}
