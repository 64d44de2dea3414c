import Jobs
import Postgres
import StoreRules

/// What a claim, a check for work or the making of a provider batch reads: first the lanes with their gates and their first jobs, at
/// once, and then only what is asked besides.
final class StoredClaim: ClaimReads {
    private struct PromptOnRoute: Hashable {
        let hash: [UInt8]
        let route: Int64
    }

    private let access: Access
    private let now: Now
    /// Gives numbers to routes that no job had yet, and keeps the rows of jobs; nil while only reading.
    private let context: WriteContext?
    private var lanes: [ReadyLane]?
    private var routes: [Int64: RouteState] = [:]
    private var queues: [Int64: QueueState] = [:]
    /// The first jobs of each lane, and whether there are more.
    private var heads: [Int64: (jobs: [Candidate], areAll: Bool)] = [:]
    private var jobs: [Int64: ReadyJob] = [:]
    private var answers: [PromptOnRoute: CachedAnswer?] = [:]
    private var flying: [PromptOnRoute: Bool] = [:]
    private var loners: [Int64]?
    private var knownPrefixes: [PromptOnRoute: WrittenPrefix?]?

    init(_ access: Access, now: Now, context: WriteContext?) {
        self.access = access
        self.now = now
        self.context = context
    }

    /// The most jobs of one lane that are read ahead.
    private static let mostHeads = 272
    /// Jobs that are read besides those that are wanted: not each of them is called.
    private static let spare = 16

    /// Reads ahead: what the lanes go by, and their first jobs, so many and some more.
    func load(_ lanes: [ReadyLane], headsOfLane wanted: Int) throws {
        let headsOfLane = wanted == 1 ? 1 : min(wanted + Self.spare, Self.mostHeads)
        self.lanes = lanes
        guard !lanes.isEmpty else { return }
        let queueIDs = Array(Set(lanes.map(\.queue))).sorted()
        let pairs = lanes.map { (lane: $0.id, route: $0.route) }
        let answers = try access.query(
            [
                RouteState.call(Array(Set(lanes.map(\.route))).sorted()),
                ReadyJobs.heads(behind: nil).call(pairs, limit: headsOfLane, now: now.timestamp),
                Call(.lanesOfLoners),
            ] + QueueState.calls(queueIDs))
        for row in answers[0] {
            let route = try RouteState(row)
            routes[route.id] = route
        }
        loners = try answers[2].map { try $0.int64(0) }
        for queue in try QueueState.read(answers[3...]) { queues[queue.id] = queue }
        for job in try answers[1].map({ row in try ReadyJob(row) }) {
            note(job)
            heads[job.lane, default: ([], true)].jobs.append(job.candidate)
        }
        for lane in lanes {
            let jobs = heads[lane.id]?.jobs ?? []
            heads[lane.id] = (jobs, jobs.count < headsOfLane)
        }
    }

    private func note(_ job: ReadyJob) {
        jobs[job.candidate.id] = job
        context?.rows.load(job.row)
        guard let lane = lanes?.first(where: { $0.id == job.lane }) else { return }
        let prompt = PromptOnRoute(hash: job.candidate.promptHash, route: lane.route)
        answers[prompt] = .some(job.answer)
        flying[prompt] = job.isInFlight
    }

    func readyLanes() throws -> [ReadyLane] {
        if let lanes { return lanes }
        let found = try ReadyLane.all(access)
        lanes = found
        return found
    }

    func queue(_ id: Int64) throws -> QueueState? {
        if let known = queues[id] { return known }
        let found = try QueueState.load(id, access)
        queues[id] = found
        return found
    }

    func route(_ id: Int64) throws -> RouteState? {
        if let known = routes[id] { return known }
        let found = try RouteState.load(id, access)
        routes[id] = found
        return found
    }

    func route(_ key: RouteKey) throws -> RouteState? {
        if let known = routes.values.first(where: { $0.key == key }) { return known }
        guard let context else { return try RouteState.find(key, access) }
        return try route(context.routeID(key))
    }

    // MARK: Ready jobs

    func heads(of lane: Int64, behind other: Candidate?, limit: Int) throws -> [Candidate] {
        if let (jobs, areAll) = heads[lane] {
            let start = other.map { other in
                jobs.firstIndex { ($0.rank, $0.id) > (other.rank, other.id) } ?? jobs.count
            }
            let rest = jobs[(start ?? 0)...]
            if areAll || rest.count >= limit { return Array(rest.prefix(limit)) }
        }
        return try read(.heads(behind: other), of: lane, limit: limit)
    }

    func newest(of lane: Int64, limit: Int) throws -> [Candidate] {
        try read(.newest, of: lane, limit: limit)
    }

    func leastFailed(of lane: Int64, limit: Int) throws -> [Candidate] {
        try read(.leastFailed, of: lane, limit: limit)
    }

    func loners(of lane: Int64, limit: Int) throws -> [Candidate] {
        try read(.loners, of: lane, limit: limit)
    }

    private func read(_ which: ReadyJobs, of lane: Int64, limit: Int) throws -> [Candidate] {
        let route = try readyLanes().first { $0.id == lane }?.route ?? 0
        let rows = try access.query([
            which.call([(lane: lane, route: route)], limit: limit, now: now.timestamp)
        ])[0]
        let jobs = try rows.map { row in try ReadyJob(row) }
        jobs.forEach(note)
        return jobs.map(\.candidate)
    }

    func lanesOfLoners() throws -> [Int64] {
        try loners ?? access.query(.lanesOfLoners).map { try $0.int64(0) }
    }

    // MARK: Prompts

    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer? {
        let prompt = PromptOnRoute(hash: hash, route: route)
        if let known = answers[prompt] { return known }
        let found = try CachedAnswer.find(hash, route: route, now: now.timestamp, access)
        answers[prompt] = .some(found)
        return found
    }

    func isInFlight(_ hash: [UInt8], route: Int64, withBatches: Bool) throws -> Bool {
        if !withBatches, let known = flying[PromptOnRoute(hash: hash, route: route)] { return known }
        return try access.query(.inFlight, [.bytes(hash), .integer(route), .bool(withBatches)]).count > 0
    }

    func prefix(_ prefix: CachePrefix, route: Int64) throws -> WrittenPrefix? {
        let key = PromptOnRoute(hash: prefix.hash, route: route)
        if let known = knownPrefixes?[key] { return known }
        let wanted = knownPrefixes == nil ? Set(jobs.values.compactMap(\.candidate.prefix?.hash)) : []
        let found = try PromptCache.find(Array(wanted.union([prefix.hash])), access)
        var known = knownPrefixes ?? [:]
        for written in found {
            known[PromptOnRoute(hash: written.hash, route: written.route)] = .some(written.prefix)
        }
        knownPrefixes = known
        return known[key] ?? nil
    }

    // MARK: One job

    func spent(on job: Int64) throws -> Money {
        let sum = try access.queryOne(.spentOnJob, [.integer(job)]) { row in try row.int64(0) }
        return Money(nanodollars: sum ?? 0)
    }

    func tags(of job: Int64) throws -> [String] {
        if let known = jobs[job]?.tags { return known }
        return try access.query(.tagsOfJob, [.integer(job)]).map { row in try row.text(0) }
    }

    /// Nil for one without a check, whose request nobody asks for.
    func sentRequest(of job: Int64) throws -> SentRequest? {
        if let known = jobs[job], !known.hasCheck { return nil }
        return try SentRequest.load(job, access)
    }

    func body(of answer: Int64) throws -> [UInt8]? {
        try access.queryOne(.bodyOfAnswer, [.integer(answer)]) { row in try row.bytes(0) }
    }

    func standing(of job: Int64) throws -> LaneStanding? { try Lanes.standing(of: job, access) }
    func laneBudget() throws -> LaneBudget { try LaneBudget.load(access) }

    func anotherDrains(than worker: WorkerID) throws -> Bool {
        try access.query(
            .anotherDrains, [.integer(now.moment.milliseconds), .integer(worker.value)]
        ).count > 0
    }
}

extension ReadyLane {
    /// Hops from lane to lane in the index: its cost grows with lanes, not jobs.
    static let lanesWithReadyJobs = """
        WITH RECURSIVE ready (lane_id) AS (
            SELECT (SELECT min(lane_id) FROM waiting WHERE held_until IS NULL)
            UNION ALL
            SELECT (
                SELECT min(waiting.lane_id) FROM waiting WHERE waiting.held_until IS NULL AND waiting.lane_id > ready.lane_id
            )
            FROM ready
            WHERE ready.lane_id IS NOT NULL
        )
        """

    static let call = Call(.readyLanes)

    static func all(_ access: Access) throws -> [ReadyLane] { try read(access.query([call])[0]) }

    static func read(_ rows: Rows) throws -> [ReadyLane] {
        try rows.map { row in
            ReadyLane(
                id: try row.int64(0), queue: try row.int64(1), route: try row.int64(2),
                tags: LaneBudget.tags(of: try row.text(3)), owner: try row.int64OrNil(4))
        }
    }
}

extension Statement {
    fileprivate static let readyLanes = Statement(
        "ready-lanes",
        assembled: """
            \(ReadyLane.lanesWithReadyJobs)
            SELECT lane.id, lane.queue_id, lane.route_id, lane.budget, lane.owner
            FROM ready
            JOIN lane ON lane.id = ready.lane_id
            JOIN queue ON queue.id = lane.queue_id
            WHERE NOT queue.paused AND lane.kind <> 'half_price' AND NOT lane.sealed
            ORDER BY lane.id
            """, isKept: true)
    fileprivate static let lanesOfLoners = Statement(
        "lanes-of-loners",
        """
        WITH RECURSIVE alone (lane_id) AS (
            SELECT (SELECT min(lane_id) FROM waiting WHERE held_until IS NULL AND crash_count >= 3)
            UNION ALL
            SELECT (
                SELECT min(waiting.lane_id)
                FROM waiting
                WHERE waiting.held_until IS NULL AND waiting.crash_count >= 3 AND waiting.lane_id > alone.lane_id
            )
            FROM alone
            WHERE alone.lane_id IS NOT NULL
        )
        SELECT lane_id FROM alone WHERE lane_id IS NOT NULL
        """)
    fileprivate static let inFlight = Statement(
        "in-flight",
        """
        SELECT job_id
        FROM flight
        WHERE prompt_hash = $1::bytea AND home_route_id = $2::bigint AND ($3::boolean OR provider_batch_id IS NULL)
        LIMIT 1
        """, .bytea, .bigint, .bool)
    fileprivate static let spentOnJob = Statement(
        "spent-on-job",
        """
        SELECT least(coalesce(sum(cost::numeric + unconfirmed_cost), 0), 9223372036854775807)::bigint
        FROM attempt
        WHERE job_id = $1::bigint
        """, .bigint)
    fileprivate static let bodyOfAnswer = Statement(
        "body-of-answer", "SELECT body FROM answer WHERE id = $1::bigint", .bigint)
    fileprivate static let anotherDrains = Statement(
        "another-drains",
        "SELECT id FROM worker WHERE emptying > $1::bigint AND id <> $2::bigint AND NOT stopped LIMIT 1",
        .bigint, .bigint)
}
