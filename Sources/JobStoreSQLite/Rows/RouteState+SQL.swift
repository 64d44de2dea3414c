import Jobs
import SQLite
import StoreRules

extension RouteState {
    private static let columns = """
        id, provider, endpoint, model, credential, simulated, paused, gate, gate_boot, gate_until, gate_until_date,
        gate_closed_boot, gate_closed_at, gate_failures, gate_trips, ramp_boot, ramp_from, running, succeeded,
        learned, answers, input_per_byte, high_output, mean_input, mean_output, mean_call, open_input, open_output,
        window, window_threshold, window_cut_boot, window_cut_at, burst, reserves_max_tokens, concurrency
        """
    private static let byID = SQL("SELECT \(columns) FROM route WHERE id = ?1")
    static let byKey = SQL(
        """
        SELECT id
        FROM route
        WHERE provider = ?1 AND endpoint = ?2 AND model = ?3 AND credential = ?4 AND simulated = ?5
        """)
    private static let everyone = SQL("SELECT \(columns) FROM route ORDER BY id")

    static func load(_ id: Int64, _ connection: Connection) throws -> RouteState? {
        guard var route = try connection.queryOne(byID, [.integer(id)], { row in RouteState(row) }) else {
            return nil
        }
        try route.loadLines(connection)
        return route
    }

    static func find(_ key: RouteKey, _ connection: Connection) throws -> RouteState? {
        guard let id = try connection.queryOne(RouteState.byKey, key.values, { row in row.int64(0) }) else {
            return nil
        }
        return try load(id, connection)
    }

    static func all(_ connection: Connection) throws -> [RouteState] {
        var routes = try connection.query(everyone) { row in RouteState(row) }
        for index in routes.indices { try routes[index].loadLines(connection) }
        return routes
    }

    private init(_ row: borrowing Row) {
        let service = ServiceKey(
            provider: row.text(1), endpoint: row.text(2), credential: row.text(4), simulated: row.bool(5))
        let key = RouteKey(service: service, model: row.text(3))
        let gate = RouteGate(
            state: RouteGate.State(rawValue: row.text(7)) ?? .open, until: Self.moment(row, 8, 9),
            untilDate: row.int64OrNil(10).map { Timestamp(milliseconds: $0) },
            closedAt: Self.moment(row, 11, 12),
            failures: row.int(13), trips: row.int(14), rampFrom: Self.moment(row, 15, 16))
        var ledger = RouteLedger(
            gate: gate, isPaused: row.bool(6), running: row.int(17), succeeded: row.int(18),
            isLearned: row.bool(19), profile: Self.profile(row), lines: [:])
        ledger.openInput = row.double(26).finite
        ledger.openOutput = row.double(27).finite
        ledger.window = ConcurrencyWindow(
            size: row.double(28), threshold: row.doubleOrNil(29), cutAt: Self.moment(row, 30, 31))
        ledger.burst = row.int64(32)
        ledger.reservesMaxTokens = row.bool(33)
        ledger.concurrency = row.intOrNil(34)
        ledger.countsCacheReads = key.countsCacheReads
        self.init(id: row.int64(0), key: key, ledger: ledger)
    }

    private static func profile(_ row: borrowing Row) -> RouteProfile {
        RouteProfile(
            answers: row.int(20), inputPerByte: row.double(21), highOutput: row.double(22),
            input: row.double(23),
            output: row.double(24), callMilliseconds: row.double(25))
    }

    static func moment(_ row: borrowing Row, _ boot: Int, _ milliseconds: Int) -> Moment? {
        guard let boot = row.int64OrNil(boot), let milliseconds = row.int64OrNil(milliseconds) else {
            return nil
        }
        return Moment(epoch: boot, milliseconds: milliseconds)
    }

    private mutating func loadLines(_ connection: Connection) throws {
        let rows = try connection.query(
            """
            SELECT kind, stated, per_minute, level, boot, at, reserved
            FROM bucket
            WHERE route_id = ?1
            """, [.integer(id)]
        ) { row -> (RouteLedger.Meter, RouteLedger.Line)? in
            guard let meter = RouteLedger.Meter(rawValue: row.text(0)) else { return nil }
            let at = Moment(epoch: row.int64(4), milliseconds: row.int64(5))
            let bucket = TokenBucket(
                perMinute: row.int(2), level: row.double(3), at: at, window: ledger.burst,
                largest: meter.largest)
            return (
                meter, RouteLedger.Line(stated: row.intOrNil(1), bucket: bucket, reserved: row.double(6))
            )
        }
        for case (let meter, let line)? in rows { ledger.lines[meter] = line }
    }

    /// Writes back all that may have changed.
    func save(_ connection: Connection) throws {
        let gate = ledger.gate
        _ = try connection.run(
            """
            UPDATE route
            SET gate = ?2, gate_boot = ?3, gate_until = ?4, gate_until_date = ?5, gate_closed_boot = ?6,
                gate_closed_at = ?7, gate_failures = ?8, gate_trips = ?9, ramp_boot = ?10, ramp_from = ?11,
                running = ?12, succeeded = ?13, learned = ?14, answers = ?15, input_per_byte = ?16, high_output = ?17,
                mean_input = ?18, mean_output = ?19, mean_call = ?20, open_input = ?21, open_output = ?22, window = ?23,
                window_threshold = ?24, window_cut_boot = ?25, window_cut_at = ?26, burst = ?27,
                reserves_max_tokens = ?28
            WHERE id = ?1
            """,
            [
                .integer(id), .text(gate.state.rawValue), .integer(gate.until?.epoch),
                .integer(gate.until?.milliseconds), .integer(gate.untilDate?.milliseconds),
                .integer(gate.closedAt?.epoch), .integer(gate.closedAt?.milliseconds),
                .integer(gate.failures),
                .integer(gate.trips), .integer(gate.rampFrom?.epoch), .integer(gate.rampFrom?.milliseconds),
                .integer(ledger.running), .integer(ledger.succeeded), .bool(ledger.isLearned),
                .integer(ledger.profile.answers), .real(ledger.profile.inputPerByte),
                .real(ledger.profile.highOutput), .real(ledger.profile.input), .real(ledger.profile.output),
                .real(ledger.profile.callMilliseconds), .real(ledger.openInput), .real(ledger.openOutput),
                .real(ledger.window.size), .real(ledger.window.threshold),
                .integer(ledger.window.cutAt?.epoch), .integer(ledger.window.cutAt?.milliseconds),
                .integer(ledger.burst), .bool(ledger.reservesMaxTokens),
            ])
        for (meter, line) in ledger.lines.all { try save(line, meter, connection) }
    }

    private func save(_ line: RouteLedger.Line, _ meter: RouteLedger.Meter, _ connection: Connection) throws {
        _ = try connection.run(
            """
            INSERT INTO bucket (route_id, kind, stated, per_minute, level, boot, at, reserved)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            ON CONFLICT DO UPDATE SET
                stated = ?3, per_minute = ?4, level = ?5, boot = ?6, at = ?7, reserved = ?8
            """,
            [
                .integer(id), .text(meter.rawValue), .integer(line.stated), .integer(line.bucket.perMinute),
                .real(line.bucket.level), .integer(line.bucket.at.epoch),
                .integer(line.bucket.at.milliseconds),
                .real(line.reserved),
            ])
    }
}

extension Double {
    /// What is no number is nothing: a row is read whatever is in it.
    fileprivate var finite: Double { isFinite ? self : 0 }
}
