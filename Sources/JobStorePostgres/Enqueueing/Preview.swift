package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func preview(_ jobs: [NewJob]) async throws -> [EnqueuePreview] {
        let (now, rules) = (now(), settings.rules)
        return try await readShared { access in
            var previewer = EnqueuePreviewer(
                try PreviewReads(jobs, now: now.timestamp, access), settings: rules)
            return try jobs.map { try previewer.preview(of: $0) }
        }
    }
}

/// What a preview reads: of all its jobs together.
private struct PreviewReads: EnqueueReads {
    private struct Prompt: Hashable {
        var hash: [UInt8]
        var route: Int64
    }

    private let loaded: LoadedEnqueue
    private let routes: [RouteKey: RouteState]
    private let answers: [Prompt: CachedAnswer]

    init(_ jobs: [NewJob], now: Timestamp, _ access: Access) throws {
        loaded = try LoadedEnqueue(jobs, reading: access)
        let keys = Set(jobs.map(\.route))
        let routes = try keys.reduce(into: [RouteKey: RouteState]()) { routes, key in
            routes[key] = try RouteState.find(key, access)
        }
        self.routes = routes
        let prompts = Set(
            jobs.filter { $0.cache == .use }.compactMap { job in
                routes[job.route].map { Prompt(hash: job.promptHash.bytes, route: $0.id) }
            })
        answers = try Self.answers(to: prompts, now: now, access)
    }

    private static func answers(
        to prompts: Set<Prompt>, now: Timestamp, _ access: Access
    ) throws -> [Prompt: CachedAnswer] {
        let prompts = Array(prompts)
        let values: [Value] = [
            .byteStrings(prompts.map(\.hash)), .integers(prompts.map(\.route)),
            .integer(now.milliseconds),
        ]
        return try access.query(.cachedAnswers, values).reduce(into: [:]) { answers, row in
            let prompt = Prompt(hash: try row.bytes(0), route: try row.int64(1))
            answers[prompt] = CachedAnswer(
                id: try row.int64(2), cost: try row.int64(3), createdAt: try row.timestamp(4))
        }
    }

    func requirement(of queue: String) throws -> RequirementState? { try loaded.requirement(of: queue) }
    func job(_ idempotency: NewJob.Idempotency) throws -> KnownJob? { try loaded.job(idempotency) }
    func job(named customID: String, in queue: String) throws -> KnownJob? {
        try loaded.job(named: customID, in: queue)
    }
    func route(_ key: RouteKey) throws -> RouteState? { routes[key] }
    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer? {
        answers[Prompt(hash: hash, route: route)]
    }
}

extension QueueRequirement {
    /// System, check and input tokens, in this order.
    init(_ row: Row, from first: Int) throws {
        self.init(
            system: try row.bool(first), check: try row.bool(first + 1),
            maxInputTokens: try row.intOrNil(first + 2))
    }
}

extension Statement {
    /// The newest living answer to each prompt on its route.
    fileprivate static let cachedAnswers = Statement(
        "cached-answers",
        """
        SELECT wanted.hash, wanted.route, cached.id, cached.cost, cached.created_at
        FROM unnest($1::bytea[], $2::bigint[]) AS wanted (hash, route)
        CROSS JOIN LATERAL (
            SELECT id, cost, created_at
            FROM answer
            WHERE substr(prompt_hash, 1, 8) = substr(wanted.hash, 1, 8) AND route_id = wanted.route
                AND prompt_hash = wanted.hash AND prompt_hash IS NOT NULL AND expires_at > $3::bigint
            ORDER BY id DESC
            LIMIT 1
        ) AS cached
        """, .byteas, .bigints, .bigint)
}
