import Jobs
import SQLite

/// Gathers ready jobs of the half-price line into provider batches: what a claim is for a worker's slots, this is for the
/// provider's own batches.
///
/// The money is reserved as at a claim, at half the price; limits per minute are not, as the provider counts none of it
/// against them (https://platform.claude.com/docs/en/api/rate-limits).
struct ProviderBatchBuilder {
    /// Jobs that one transaction takes.
    private static let portion = 500

    let context: WriteContext
    let terms: HalfPriceTerms
    private var book: BudgetBook
    private var filling: [Place: Filling] = [:]
    private var left = Self.portion
    /// Whether jobs are on their way to other lanes, as budgets have changed: each is looked at before it is taken.
    private let lanesChange: Bool
    var connection: Connection { context.connection }
    var now: Now { context.now }

    private struct Place: Hashable {
        let route: Int64
        let deadlineClass: Int
    }

    private struct Filling {
        let id: Int64
        var requests: Int
        var bytes: Int
        var soonest: Timestamp?

        func hasRoom(for bytes: Int) -> Bool {
            requests == 0
                || (requests < HalfPriceTerms.mostRequests && self.bytes + bytes <= HalfPriceTerms.mostBytes)
        }
    }

    init(_ context: WriteContext, terms: HalfPriceTerms) throws {
        self.context = context
        self.terms = terms
        lanesChange = try LaneMoves.isPending(context.connection)
        book = try BudgetBook.load(
            context.connection, now: context.now.timestamp, prices: context.settings.prices)
    }

    /// The lanes that are due, by their routes; read without any lock too.
    static func due(
        _ connection: Connection, terms: HalfPriceTerms, now: Now
    ) throws -> [(route: RouteRow, lanes: [HalfPriceLanes.Lane])] {
        var lanes = Dictionary(grouping: try HalfPriceLanes.readyLanes(connection), by: \.route)
        // What an earlier portion began is filled and sealed, whether or not more has come.
        let begun = try connection.query(
            "SELECT DISTINCT route_id FROM provider_batch WHERE ended_at IS NULL AND state = 'filling'"
        ) { row in row.int64(0) }
        for route in begun { lanes[route, default: []] += [] }
        let latest = now.timestamp.milliseconds - terms.gather
        return try lanes.compactMap { id, lanes in
            guard begun.contains(id) || lanes.contains(where: { $0.since <= latest }),
                let route = try RouteRow.load(id, connection), route.takesProviderBatches(terms, now: now)
            else { return nil }
            return (route, lanes)
        }
    }

    /// Returns whether some jobs are left that could be taken.
    mutating func run() throws -> Bool {
        guard try ConfigurationHistory.isInForce(context.settings.configuration, connection) else {
            return false
        }
        for (route, lanes) in try Self.due(connection, terms: terms, now: now) {
            try load(route: route.id)
            for lane in lanes { try take(from: lane, route) }
            for place in filling.keys where place.route == route.id { try save(place) }
            guard left > 0 else { break }
            for place in filling.keys where place.route == route.id { try seal(place) }
        }
        try book.save(connection)
        return left <= 0
    }

    /// Those that an earlier portion began.
    private mutating func load(route: Int64) throws {
        try connection.forEach(
            """
            SELECT id, deadline_class, requests, bytes, soonest_deadline
            FROM provider_batch
            WHERE route_id = ?1 AND ended_at IS NULL AND state = 'filling'
            """, [.integer(route)]
        ) { row in
            filling[Place(route: route, deadlineClass: row.int(1))] = Filling(
                id: row.int64(0), requests: row.int(2), bytes: row.int(3),
                soonest: row.int64OrNil(4).map { Timestamp(milliseconds: $0) })
        }
    }

    private mutating func take(from lane: HalfPriceLanes.Lane, _ route: RouteRow) throws {
        while left > 0 {
            let heads = try Candidate.heads(of: lane.id, limit: min(left, 100), connection)
            guard !heads.isEmpty else { return }
            for job in heads {
                left -= 1
                guard try place(job, lane, route) else { return }
            }
        }
    }

    /// False where the job stays: what holds it holds those behind it.
    private mutating func place(_ job: Candidate, _ lane: HalfPriceLanes.Lane, _ route: RouteRow) throws
        -> Bool
    {
        if lanesChange, try Lanes.move(job.id, context) != nil { return true }
        if let deadline = job.deadline, now.ends(deadline) {
            try JobCompletion(context).fail(job.id, lane: lane.id, batch: job.batch, .deadlineExceeded)
            return true
        }
        guard terms.hasRoom(until: job.deadline, at: now.timestamp), job.position == 0 else {
            try HalfPriceLanes.leave(job.id, context)
            return true
        }
        let shares = job.cache == .use && context.settings.sharesAnswers
        if shares,
            let answer = try CachedAnswer.find(
                job.promptHash, route: route.id, now: now.timestamp, connection),
            try Checks.admits(answer, for: job.id, context)
        {
            try JobCompletion(context).succeedFromCache(job.id, lane: lane.id, batch: job.batch, answer)
            return true
        }
        if shares, !job.isImpatient, try isInFlight(job, route: route.id) {
            try Holds.hold(
                job.id, until: now.timestamp + ClaimPlanner.holdLimit, under: job.promptHash, connection)
            return true
        }
        var call = BudgetBook.Call(job, route: route.key, queue: lane.queueName, tags: lane.tags)
        call.isHalfPrice = true
        if let error = try book.refusal(of: call, job: job, connection) {
            try JobCompletion(context).fail(job.id, lane: lane.id, batch: job.batch, error)
            return true
        }
        guard book.closure(to: call) == nil else { return false }
        try open(job, lane, route, call)
        return true
    }

    private func isInFlight(_ job: Candidate, route: Int64) throws -> Bool {
        try connection.queryOne(
            """
            SELECT 1
            FROM attempt
            WHERE status = 'open' AND prompt_hash = ?1 AND home_route_id = ?2
            LIMIT 1
            """, [.blob(job.promptHash), .integer(route)], { row in row.int(0) }) != nil
    }

    private mutating func open(
        _ job: Candidate, _ lane: HalfPriceLanes.Lane, _ route: RouteRow, _ call: BudgetBook.Call
    ) throws {
        let place = Place(
            route: route.id, deadlineClass: terms.deadlineClass(until: job.deadline, at: now.timestamp))
        if let full = filling[place], !full.hasRoom(for: job.requestBytes) {
            try save(place)
            try seal(place)
        }
        var providerBatch = try filling[place] ?? begin(place)
        let (worstCase, windows) = try book.reserve(for: call, connection)
        var attempt = NewAttempt(
            job: job.id, number: job.attempt + 1, worker: 0, route: route.id, home: route.id,
            flight: RouteChoice(route: route.id, position: 0, cause: nil), queue: lane.queue,
            leaseUntil: now.moment,
            promptHash: job.cache == .off || !context.settings.sharesAnswers ? nil : job.promptHash,
            need: RouteLedger.Need(input: 0, output: 0), worstCase: worstCase, windows: windows,
            marks: RouteLedger.Marks(
                requests: 0, input: 0, output: 0, succeeded: route.ledger.succeeded))
        attempt.providerBatch = providerBatch.id
        try attempt.insert(context)
        context.moved(lane: lane.id, batch: job.batch, from: .queued, to: .running)
        providerBatch.requests += 1
        providerBatch.bytes += job.requestBytes
        providerBatch.soonest = [providerBatch.soonest, job.deadline].compactMap(\.self).min()
        filling[place] = providerBatch
    }

    private mutating func begin(_ place: Place) throws -> Filling {
        let token = String(UInt64.random(in: 0...(.max), using: &context.random), radix: 36)
        _ = try connection.run(
            "INSERT INTO provider_batch (route_id, deadline_class, token, created_at) VALUES (?1, ?2, ?3, ?4)",
            [
                .integer(place.route), .integer(place.deadlineClass), .text(token),
                .integer(now.timestamp.milliseconds),
            ])
        return Filling(id: connection.lastInsertRowID, requests: 0, bytes: 0)
    }

    private func save(_ place: Place) throws {
        guard let providerBatch = filling[place] else { return }
        _ = try connection.run(
            "UPDATE provider_batch SET requests = ?2, bytes = ?3, soonest_deadline = ?4 WHERE id = ?1",
            [
                .integer(providerBatch.id), .integer(providerBatch.requests), .integer(providerBatch.bytes),
                .integer(providerBatch.soonest?.milliseconds),
            ])
    }

    /// Nothing joins it any more.
    ///
    /// What it has is called back so early that the route's limit lets all of it be done before the first deadline.
    private mutating func seal(_ place: Place) throws {
        guard let providerBatch = filling.removeValue(forKey: place) else { return }
        let perMinute = try connection.queryOne(
            "SELECT per_minute FROM bucket WHERE route_id = ?1 AND kind = 'requests'",
            [.integer(place.route)],
            { row in row.int64(0) })
        let work = perMinute.map { Int64(providerBatch.requests) * 60_000 / $0 } ?? 0
        let recall = providerBatch.soonest.map { $0 + -(terms.reserve + work) }
        _ = try connection.run(
            "UPDATE provider_batch SET state = 'sealed', recall_at = ?2 WHERE id = ?1",
            [.integer(providerBatch.id), .integer(recall?.milliseconds)])
    }
}

extension RouteRow {
    /// Whether provider batches may go out on it now: its minutes' limits do not count, all else does.
    func takesProviderBatches(_ terms: HalfPriceTerms, now: Now) -> Bool {
        guard terms.services.contains(key.service), !ledger.isPaused else { return false }
        if case .closed = ledger.gate.passage(at: now.moment) { return ledger.gate.state == .rateLimited }
        return true
    }
}
