import Jobs
import SQLite

/// A route as one operation sees and changes it: who it is, and its ledger.
struct RouteRow {
    let id: Int64
    let key: RouteKey
    var ledger: RouteLedger
}

extension RouteRow {
    private static let columns = """
        id, provider, endpoint, model, credential, simulated, paused, gate, gate_boot, gate_until, gate_until_date,
        gate_closed_boot, gate_closed_at, gate_failures, gate_trips, ramp_boot, ramp_from, running, succeeded,
        learned, input_per_byte, output_tokens
        """
    private static let byID = SQL("SELECT \(columns) FROM route WHERE id = ?1")
    static let byKey = SQL(
        """
        SELECT id
        FROM route
        WHERE provider = ?1 AND endpoint = ?2 AND model = ?3 AND credential = ?4 AND simulated = ?5
        """)
    private static let everyone = SQL("SELECT \(columns) FROM route ORDER BY id")

    static func load(_ id: Int64, _ connection: Connection) throws -> RouteRow? {
        guard var route = try connection.queryOne(byID, [.integer(id)], { row in RouteRow(row) }) else {
            return nil
        }
        try route.loadLines(connection)
        return route
    }

    static func find(_ key: RouteKey, _ connection: Connection) throws -> RouteRow? {
        guard let id = try connection.queryOne(RouteRow.byKey, key.values, { row in row.int64(0) }) else {
            return nil
        }
        return try load(id, connection)
    }

    static func all(_ connection: Connection) throws -> [RouteRow] {
        var routes = try connection.query(everyone) { row in RouteRow(row) }
        for index in routes.indices { try routes[index].loadLines(connection) }
        return routes
    }

    private init(_ row: borrowing Row) {
        id = row.int64(0)
        let service = ServiceKey(
            provider: row.text(1), endpoint: row.text(2), credential: row.text(4), simulated: row.bool(5))
        key = RouteKey(service: service, model: row.text(3))
        let gate = RouteGate(
            state: RouteGate.State(rawValue: row.text(7)) ?? .open, until: Self.moment(row, 8, 9),
            untilDate: row.int64OrNil(10).map { Timestamp(milliseconds: $0) },
            closedAt: Self.moment(row, 11, 12),
            failures: row.int(13), trips: row.int(14), rampFrom: Self.moment(row, 15, 16))
        ledger = RouteLedger(
            gate: gate, isPaused: row.bool(6), running: row.int(17), succeeded: row.int(18),
            isLearned: row.bool(19),
            inputPerByte: row.double(20), outputTokens: row.doubleOrNil(21), lines: [:])
    }

    private static func moment(_ row: borrowing Row, _ boot: Int, _ milliseconds: Int) -> Moment? {
        guard let boot = row.int64OrNil(boot), let milliseconds = row.int64OrNil(milliseconds) else {
            return nil
        }
        return Moment(boot: boot, milliseconds: milliseconds)
    }

    private mutating func loadLines(_ connection: Connection) throws {
        let rows = try connection.query(
            """
            SELECT kind, stated, per_minute, level, boot, at, reserved
            FROM bucket
            WHERE route_id = ?1
            """, [.integer(id)]
        ) { row in
            let at = Moment(boot: row.int64(4), milliseconds: row.int64(5))
            let bucket = TokenBucket(perMinute: row.int(2), level: row.double(3), at: at)
            return (
                row.text(0),
                RouteLedger.Line(stated: row.intOrNil(1), bucket: bucket, reserved: row.double(6))
            )
        }
        for (name, line) in rows {
            if let meter = RouteLedger.Meter(rawValue: name) { ledger.lines[meter] = line }
        }
    }

    /// Writes back all that may have changed.
    func save(_ connection: Connection) throws {
        let gate = ledger.gate
        _ = try connection.run(
            """
            UPDATE route
            SET gate = ?2, gate_boot = ?3, gate_until = ?4, gate_until_date = ?5, gate_closed_boot = ?6,
                gate_closed_at = ?7, gate_failures = ?8, gate_trips = ?9, ramp_boot = ?10, ramp_from = ?11,
                running = ?12, succeeded = ?13, learned = ?14, input_per_byte = ?15, output_tokens = ?16
            WHERE id = ?1
            """,
            [
                .integer(id), .text(gate.state.rawValue), .integer(gate.until?.boot),
                .integer(gate.until?.milliseconds), .integer(gate.untilDate?.milliseconds),
                .integer(gate.closedAt?.boot), .integer(gate.closedAt?.milliseconds), .integer(gate.failures),
                .integer(gate.trips), .integer(gate.rampFrom?.boot), .integer(gate.rampFrom?.milliseconds),
                .integer(ledger.running), .integer(ledger.succeeded), .bool(ledger.isLearned),
                .real(ledger.inputPerByte), .real(ledger.outputTokens),
            ])
        for (meter, line) in ledger.lines { try save(line, meter, connection) }
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
                .real(line.bucket.level), .integer(line.bucket.at.boot),
                .integer(line.bucket.at.milliseconds),
                .real(line.reserved),
            ])
    }
}
