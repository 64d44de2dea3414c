import Crypto
import Jobs
import Postgres

/// The least that any queue on PostgreSQL would do with renga's schema and settings, in a plain loop on one connection.
///
/// The same tables, and so the same rows and indexes; sets of rows by `unnest`, two round trips to a transaction that decides something.
/// All decisions are made beforehand.
final class BarePostgres {
    let connection: Connection
    let place: LanePlace
    let request: [UInt8]
    private var nextJob: Int64 = 1 << 40

    /// Where all jobs are, as renga has made it, and the windows of its budgets.
    struct LanePlace {
        var lane: Int64
        var queue: Int64
        var route: Int64
        var windows: [Int64]
    }

    /// In a prepared database.
    init(_ database: PostgresPlace, request: [UInt8]) throws {
        connection = try database.connect()
        self.request = request
        let rows = try connection.run([Call(.onlyLane), Call(.allWindows)])
        guard let row = rows[0].first, rows[1].count > 0 else {
            throw BenchmarkError("the database has no lane or no budget: prepare it first")
        }
        place = LanePlace(
            lane: try row.int64(0), queue: try row.int64(1), route: try row.int64(2),
            windows: try rows[1].map { try $0.int64(0) })
    }

    /// Jobs a second, so many of them to a transaction.
    func enqueue(_ count: Int, perTransaction: Int) throws -> Double {
        try rate(of: count) {
            for start in stride(from: 0, to: count, by: perTransaction) {
                try insert(min(perTransaction, count - start))
            }
        }
    }

    /// Claimed and settled jobs a second, so many to each of the two transactions that both take, until there are no more.
    func claimAndSettle(perTransaction: Int) throws -> Double {
        var done = 0
        var claimer = BareClaimer(self)
        let seconds = try ContinuousClock().measure {
            while true {
                let claimed = try claimer.claim(perTransaction)
                if claimed.isEmpty { break }
                try claimer.settle(claimed)
                done += claimed.count
            }
        }.seconds
        return Double(done) / seconds
    }

    private func rate(of count: Int, _ body: () throws -> Void) throws -> Double {
        Double(count) / (try ContinuousClock().measure(body)).seconds
    }

    /// In one round trip: nothing is to be known before.
    private func insert(_ count: Int) throws {
        let ids = (0..<Int64(count)).map { nextJob + $0 }
        nextJob += Int64(count)
        let hashes = ids.map(Self.hash)
        let (place, now) = (place, Self.now)
        try connection.run([
            Call(.insertJobs) {
                $0.add(column: ids)
                $0.add(column: hashes)
                $0.add(column: ids.map { _ in request })
                $0.add(place.queue)
                $0.add(now)
            },
            Call(.insertWaiting) {
                $0.add(column: ids)
                $0.add(column: hashes)
                $0.add(Int64(request.count))
                $0.add(place.lane)
                $0.add(now)
            },
            Call(.addTally) {
                $0.add(column: [place.lane])
                $0.add(column: ["queued"])
                $0.add(column: [Int64(count)])
            },
        ])
    }

    /// Another one for each job, as wide and as scattered as a real one.
    private static func hash(_ job: Int64) -> [UInt8] { SHA256.hash(Array(String(job).utf8)) }

    static var now: Int64 { MachineClock().now().timestamp.milliseconds }
}

extension Call {
    init(_ statement: Statement, _ fill: (inout Arguments) -> Void) {
        var arguments = Arguments()
        fill(&arguments)
        self.init(statement, arguments)
    }
}

extension Statement {
    fileprivate static let onlyLane = Statement(
        "bare-lane", "SELECT id, queue_id, route_id FROM lane ORDER BY id LIMIT 1")
    fileprivate static let allWindows = Statement("bare-windows", "SELECT id FROM budget_window ORDER BY id")

    fileprivate static let insertJobs = Statement(
        "bare-insert-jobs",
        """
        INSERT INTO job (
            id, queue_id, rank, max_attempts, priority, cache, max_tokens, request_bytes, worst_input_tokens, cache_writes,
            prompt_hash, created_at, run_at, fingerprint, request
        )
        SELECT id, $4::bigint, $5::bigint, 4, 0, 'use', 64, length(request), length(request), 0, hash, $5, $5, hash, request
        FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new (id, hash, request)
        """, .bigints, .byteas, .byteas, .bigint, .bigint)
    fileprivate static let insertWaiting = Statement(
        "bare-insert-waiting",
        """
        INSERT INTO waiting (
            job_id, lane_id, rank, cache, max_tokens, request_bytes, worst_input_tokens, cache_writes, prompt_hash, has_check
        )
        SELECT id, $4::bigint, $5::bigint, 'use', 64, $3::bigint, $3, 0, hash, false
        FROM unnest($1::bigint[], $2::bytea[]) AS new (id, hash)
        """, .bigints, .byteas, .bigint, .bigint, .bigint)
    static let addTally = Statement(
        "bare-add-tally",
        """
        INSERT INTO lane_tally_part (lane_id, state, jobs, writer)
        SELECT new.*, pg_backend_pid() % 256 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS new
        ON CONFLICT (lane_id, state, writer) DO UPDATE SET jobs = lane_tally_part.jobs + excluded.jobs
        """, .bigints, .texts, .bigints)
}
