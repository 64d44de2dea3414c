import Jobs
import Postgres
import StoreRules

extension RouteState {
    /// Every column of the route, and its buckets as arrays in the order of their kinds.
    private static let columns = """
        id, provider, endpoint, model, credential, simulated, paused, gate, gate_until, gate_until_date, gate_closed_at,
        gate_failures, gate_trips, ramp_from, running, succeeded, learned, answers, input_per_byte, high_output, mean_input,
        mean_output, mean_call, open_input, open_output, call_window, call_window_threshold, call_window_cut_at, burst,
        reserves_max_tokens, concurrency,
        ARRAY(SELECT kind FROM bucket WHERE route_id = route.id ORDER BY kind),
        ARRAY(SELECT stated FROM bucket WHERE route_id = route.id ORDER BY kind),
        ARRAY(SELECT per_minute FROM bucket WHERE route_id = route.id ORDER BY kind),
        ARRAY(SELECT level FROM bucket WHERE route_id = route.id ORDER BY kind),
        ARRAY(SELECT at FROM bucket WHERE route_id = route.id ORDER BY kind),
        ARRAY(SELECT reserved FROM bucket WHERE route_id = route.id ORDER BY kind)
        """
    private static let byIDs = Statement(
        "routes-by-id", assembled: "SELECT \(columns) FROM route WHERE id = ANY ($1::bigint[])", [.bigints],
        isKept: true)
    private static let ofAttempts = Statement(
        "routes-of-attempts",
        assembled:
            "SELECT \(columns) FROM route WHERE id = ANY (\(WantedAttempts.values(of: "attempt.route_id")))",
        [.bigints, .bigints], isKept: true)
    private static let byKey = Statement(
        "route-by-key",
        assembled: """
            SELECT \(columns)
            FROM route
            WHERE provider = $1::text AND endpoint = $2::text AND model = $3::text AND credential = $4::text
                AND simulated = $5::boolean
            """, [.text, .text, .text, .text, .bool], isKept: true)
    private static let everyone = Statement(
        "routes-all", assembled: "SELECT \(columns) FROM route ORDER BY id", isKept: true)

    static func call(_ ids: [Int64]) -> Call { Call(byIDs, [.integerArray(ids)]) }
    static func call(of attempts: [Value]) -> Call { Call(ofAttempts, attempts) }

    static func load(_ id: Int64, _ access: Access) throws -> RouteState? { try load([id], access).first }

    static func load(_ ids: [Int64], _ access: Access) throws -> [RouteState] {
        guard !ids.isEmpty else { return [] }
        return try access.query([call(ids)])[0].map { row in try RouteState(row) }
    }

    static func find(_ key: RouteKey, _ access: Access) throws -> RouteState? {
        try access.queryOne(byKey, key.values) { row in try RouteState(row) }
    }

    static func all(_ access: Access) throws -> [RouteState] {
        try access.query(everyone).map { row in try RouteState(row) }
    }

    init(_ row: Row) throws {
        let service = ServiceKey(
            provider: try row.text(1), endpoint: try row.text(2), credential: try row.text(4),
            simulated: try row.bool(5))
        let key = RouteKey(service: service, model: try row.text(3))
        let gate = RouteGate(
            state: RouteGate.State(rawValue: try row.text(7)) ?? .open, until: try row.momentOrNil(8),
            untilDate: try row.timestampOrNil(9), closedAt: try row.momentOrNil(10),
            failures: try row.int(11), trips: try row.int(12), rampFrom: try row.momentOrNil(13))
        let profile = RouteProfile(
            answers: try row.int(17), inputPerByte: try row.double(18), highOutput: try row.double(19),
            input: try row.double(20), output: try row.double(21), callMilliseconds: try row.double(22))
        var ledger = RouteLedger(
            gate: gate, isPaused: try row.bool(6), running: try row.int(14), succeeded: try row.int(15),
            isLearned: try row.bool(16), profile: profile, lines: [:])
        ledger.openInput = try row.double(23).finite
        ledger.openOutput = try row.double(24).finite
        ledger.window = ConcurrencyWindow(
            size: try row.double(25), threshold: try row.doubleOrNil(26), cutAt: try row.momentOrNil(27))
        ledger.burst = try row.int64(28)
        ledger.reservesMaxTokens = try row.bool(29)
        ledger.concurrency = try row.intOrNil(30)
        ledger.countsCacheReads = key.countsCacheReads
        try ledger.loadLines(row, from: 31)
        self.init(id: try row.int64(0), key: key, ledger: ledger)
    }
}

extension RouteLedger {
    /// Kinds, stated limits, limits, levels, times and reservations, in this order, each an array.
    fileprivate mutating func loadLines(_ row: Row, from first: Int) throws {
        let kinds = try row.texts(first)
        let (stated, limits) = (try row.int64s(first + 1), try row.int64s(first + 2))
        let (levels, times) = (try row.doubles(first + 3), try row.int64s(first + 4))
        let reserved = try row.doubles(first + 5)
        for (place, kind) in kinds.enumerated() {
            guard let kind, let meter = Meter(rawValue: kind), let limit = limits[place] else { continue }
            let bucket = TokenBucket(
                perMinute: Int(limit), level: levels[place] ?? 0,
                at: Moment(epoch: DatabaseTime.epoch, milliseconds: times[place] ?? 0), window: burst,
                largest: meter.largest)
            lines[meter] = Line(
                stated: stated[place].map { Int($0) }, bucket: bucket, reserved: reserved[place] ?? 0)
        }
    }
}

extension RouteKey {
    /// As the columns that tell routes apart.
    var values: [Value] {
        [
            .text(service.provider), .text(service.endpoint), .text(model), .text(service.credential),
            .bool(service.simulated),
        ]
    }
}

extension Row {
    func momentOrNil(_ column: Int) throws(PostgresError) -> Moment? {
        try int64OrNil(column).map { Moment(epoch: DatabaseTime.epoch, milliseconds: $0) }
    }

    func timestampOrNil(_ column: Int) throws(PostgresError) -> Timestamp? {
        try int64OrNil(column).map { Timestamp(milliseconds: $0) }
    }

    func timestamp(_ column: Int) throws(PostgresError) -> Timestamp {
        Timestamp(milliseconds: try int64(column))
    }
}

extension Double {
    /// What is no number is nothing: a row is read whatever is in it.
    fileprivate var finite: Double { isFinite ? self : 0 }
}

// MARK: - Writing

extension RouteState {
    /// Writes back all that may have changed.
    func save(_ context: WriteContext) {
        let (gate, profile, window) = (ledger.gate, ledger.profile, ledger.window)
        context.run(
            .saveRoute,
            [
                .integer(id), .text(gate.state.rawValue), .integer(gate.until?.milliseconds),
                .integer(gate.untilDate?.milliseconds), .integer(gate.closedAt?.milliseconds),
                .integer(gate.failures), .integer(gate.trips), .integer(gate.rampFrom?.milliseconds),
                .integer(ledger.running), .integer(ledger.succeeded), .bool(ledger.isLearned),
                .integer(profile.answers), .real(profile.inputPerByte), .real(profile.highOutput),
                .real(profile.input), .real(profile.output), .real(profile.callMilliseconds),
                .real(ledger.openInput), .real(ledger.openOutput), .real(window.size),
                .real(window.threshold), .integer(window.cutAt?.milliseconds), .integer(ledger.burst),
                .bool(ledger.reservesMaxTokens),
            ])
        let lines = ledger.lines.all.map { (meter: $0.0, line: $0.1) }
        guard !lines.isEmpty else { return }
        context.run(
            .saveBuckets,
            [
                .integer(id), .texts(lines.map(\.meter.rawValue)),
                .integers(lines.map { $0.line.stated.map { Int64($0) } }),
                .integers(lines.map(\.line.bucket.perMinute)), .reals(lines.map(\.line.bucket.level)),
                .integers(lines.map(\.line.bucket.at.milliseconds)), .reals(lines.map(\.line.reserved)),
            ])
    }
}

extension Statement {
    fileprivate static let saveRoute = Statement(
        "save-route",
        """
        UPDATE route
        SET gate = $2::text, gate_until = $3::bigint, gate_until_date = $4::bigint, gate_closed_at = $5::bigint,
            gate_failures = $6::bigint, gate_trips = $7::bigint, ramp_from = $8::bigint, running = $9::bigint,
            succeeded = $10::bigint, learned = $11::boolean, answers = $12::bigint, input_per_byte = $13::double precision,
            high_output = $14::double precision, mean_input = $15::double precision, mean_output = $16::double precision,
            mean_call = $17::double precision, open_input = $18::double precision, open_output = $19::double precision,
            call_window = $20::double precision, call_window_threshold = $21::double precision, call_window_cut_at = $22::bigint,
            burst = $23::bigint, reserves_max_tokens = $24::boolean
        WHERE id = $1::bigint
        """, .bigint, .text, .bigint, .bigint, .bigint, .bigint, .bigint, .bigint, .bigint, .bigint, .bool,
        .bigint, .double, .double, .double, .double, .double, .double, .double, .double, .double, .bigint,
        .bigint, .bool)

    fileprivate static let saveBuckets = Statement(
        "save-buckets",
        """
        INSERT INTO bucket (route_id, kind, stated, per_minute, level, at, reserved)
        SELECT $1::bigint, new.*
        FROM unnest(
            $2::text[], $3::bigint[], $4::bigint[], $5::double precision[], $6::bigint[], $7::double precision[]
        ) AS new
        ON CONFLICT (route_id, kind) DO UPDATE
        SET stated = excluded.stated, per_minute = excluded.per_minute, level = excluded.level, at = excluded.at,
            reserved = excluded.reserved
        """, .bigint, .texts, .bigints, .bigints, .doubles, .bigints, .doubles)
}
