import Jobs
import Postgres
import StoreRules

// What settlements say to rows that they share with others: a row for each transaction, until a claim has taken and applied it.
enum SharedClosings {
    /// Few enough for one round trip; what is left is taken by another one.
    private static let limit = 200

    /// Only under the lock of claims: what is taken here is gone for all others.
    static let take = Call(.takeClosings, [.integer(limit)])
    /// Whether any waits to be applied.
    static let any = Call(.anyClosing)
    /// Whether one waits since so long that no claim will come for it.
    static func stale(at now: Now) -> Call {
        Call(.staleClosing, [.integer(now.timestamp.milliseconds - 1_000)])
    }

    /// What waits to be applied, as far as other settlements go by it.
    struct Heard {
        private(set) var successes: [Int64: Int] = [:]
        private(set) var refusesKey = false

        static let call = Call(.heardOf)

        init(_ rows: Rows) throws {
            for row in rows {
                for (route, count) in zip(try row.int64s(0), try row.int64s(1)) {
                    if let route, let count { successes[route, default: 0] += Int(count) }
                }
                refusesKey = try refusesKey || row.bool(2)
            }
        }

        mutating func note(_ closing: SharedClosing) {
            switch closing.call?.event {
            case .succeeded: successes[closing.route, default: 0] += 1
            case .unauthorized: refusesKey = true
            default: break
            }
        }

        /// A route with what was said to it.
        func adding(to route: RouteState) -> RouteState {
            var route = route
            route.ledger.succeeded += successes[route.id] ?? 0
            return route
        }
    }

    /// All of them, if the first portion is what was taken.
    static func read(_ first: Rows, _ access: Access) throws -> [SharedClosing] {
        var (rows, closings) = (first, [(id: Int64, closings: [SharedClosing])]())
        while true {
            closings += try rows.map { row in (try row.int64(0), try decode(row)) }
            guard rows.count >= limit else { break }
            rows = try access.query([take])[0]
        }
        return closings.sorted { $0.id < $1.id }.flatMap(\.closings)
    }

    private static func decode(_ row: Row) throws -> [SharedClosing] {
        guard let closings = SharedClosing.read(try row.bytes(1), epoch: DatabaseTime.epoch) else {
            throw JobStoreError(
                .internal, "row \(try row.int64(0)) of shared_closing cannot be read: another renga wrote it")
        }
        return closings
    }
}

extension WriteContext {
    /// Leaves them to the next claim.
    func note(_ closings: [SharedClosing]) {
        guard !closings.isEmpty else { return }
        let succeeded = closings.reduce(into: [Int64: Int]()) { counts, closing in
            if closing.call?.event == .succeeded { counts[closing.route, default: 0] += 1 }
        }.sorted { $0.key < $1.key }
        run(
            .insertClosings,
            [
                .integer(now.timestamp.milliseconds), .bytes(SharedClosing.write(closings)),
                .integerArray(succeeded.map(\.key)), .integerArray(succeeded.map { Int64($0.value) }),
                .bool(closings.contains { $0.call?.event == .unauthorized }),
            ])
    }

    func apply(_ closings: [SharedClosing]) throws {
        var (rowCache, credentials) = try load(closings)
        var (random, delta) = (AnyRandom(random), Delta())
        for closing in closings { closing.apply(to: &rowCache, &credentials, &delta, using: &random) }
        self.random = random.source
        try apply(delta)
        save(rowCache)
    }

    private func load(
        _ closings: [SharedClosing]
    ) throws -> (rows: RowCache, credentials: [Int64: SharedClosing.Credential]) {
        let keys = Set(closings.compactMap(\.credential)).sorted()
        let answers = try access.query(
            [
                RouteState.call(Set(closings.map(\.route)).sorted()),
                BudgetWindow.call(Set(closings.flatMap(\.windows)).sorted()), CredentialState.call(keys),
            ] + QueueState.calls(Set(closings.map(\.queue)).sorted()))
        var (rowCache, credentials) = (RowCache(), [Int64: SharedClosing.Credential]())
        for row in answers[0] { rowCache.load(try RouteState(row)) }
        for window in try BudgetWindow.read(answers[1]) { rowCache.load(window) }
        for row in answers[2] {
            let key = try CredentialState(row, from: 0)
            credentials[key.id] = (key, try key.workers(access))
        }
        for queue in try QueueState.read(answers[3...]) { rowCache.load(queue) }
        return (rowCache, credentials)
    }
}

extension Statement {
    fileprivate static let takeClosings = Statement(
        "take-closings",
        """
        DELETE FROM shared_closing
        WHERE id = ANY (ARRAY(SELECT id FROM shared_closing ORDER BY id LIMIT $1::bigint))
        RETURNING id, closings
        """, .bigint)
    fileprivate static let anyClosing = Statement("any-closing", "SELECT id FROM shared_closing LIMIT 1")
    fileprivate static let staleClosing = Statement(
        "stale-closing", "SELECT id FROM shared_closing WHERE at < $1::bigint ORDER BY id LIMIT 1", .bigint)
    fileprivate static let insertClosings = Statement(
        "insert-closings",
        """
        INSERT INTO shared_closing (at, closings, routes, successes, refuses_key)
        VALUES ($1::bigint, $2::bytea, $3::bigint[], $4::bigint[], $5::boolean)
        """, .bigint, .bytea, .bigints, .bigints, .bool)
    fileprivate static let heardOf = Statement(
        "heard-of-closings", "SELECT routes, successes, refuses_key FROM shared_closing")
}
