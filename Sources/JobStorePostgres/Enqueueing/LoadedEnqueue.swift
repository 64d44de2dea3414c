import Jobs
import Postgres
import StoreRules

/// What is known of new jobs: loaded in one round trip, and grown by those that are taken.
final class LoadedEnqueue: EnqueueReads {
    private struct Name: Hashable {
        var queue: String
        var customID: String
    }

    private var named: [Name: KnownJob] = [:]
    private var keyed: [NewJob.Idempotency: KnownJob] = [:]
    private var requirements: [String: RequirementState] = [:]
    /// The last ordinals of batches that take jobs.
    private var ordinals: [Int64: Int64] = [:]
    let laneBudget: LaneBudget
    private(set) var queues: [String: Queue] = [:]
    private(set) var routes: [RouteKey: Int64] = [:]
    /// Those that are no batch's and no process's.
    private(set) var lanes: [LanePlace: Int64] = [:]

    /// A queue with its check.
    struct Queue {
        var id: Int64
        var check: Checks.Stored?
    }

    private struct Place: Hashable {
        var queue: String
        var route: RouteKey
    }

    /// What is asked; `locksBatches` if jobs are to be written: an ordinal is given once.
    static func calls(_ jobs: [NewJob], _ target: EnqueueTarget, locksBatches: Bool = true) -> [Call] {
        let named = jobs.filter { $0.customID != nil }
        let keys = jobs.compactMap(\.idempotency)
        let places = Array(Set(jobs.map { Place(queue: $0.queue, route: $0.route) }))
        return [
            Call(.namedJobs, [.texts(named.map(\.queue)), .texts(named.map(\.customID))]),
            Call(.keyedJobs, [.texts(keys.map(\.key)), .integers(keys.map(\.ordinal))]),
            Call(.requirements, [.textArray(Array(Set(jobs.map(\.queue))))]),
            Call(
                locksBatches ? .lockedOrdinals : .ordinals,
                [
                    .integerArray(Array(Set(jobs.compactMap { $0.batch?.value })).sorted()),
                    .bool(target.isSealed),
                ]),
            Call(.taggedBudgets),
            Call(
                .knownLanes,
                [
                    .texts(places.map(\.queue)), .texts(places.map(\.route.service.provider)),
                    .texts(places.map(\.route.service.endpoint)), .texts(places.map(\.route.model)),
                    .texts(places.map(\.route.service.credential)),
                    .bools(places.map(\.route.service.simulated)),
                ]),
        ]
    }

    convenience init(_ jobs: [NewJob], _ target: EnqueueTarget, _ context: WriteContext) throws {
        let asked = context.asked
        context.asked = []
        try self.init(asked.isEmpty ? context.access.query(Self.calls(jobs, target)) : asked)
    }

    /// Without any lock.
    convenience init(_ jobs: [NewJob], reading access: Access) throws {
        try self.init(access.query(Self.calls(jobs, .common, locksBatches: false)))
    }

    private init(_ answers: [Rows]) throws {
        for row in answers[0] {
            self.named[Name(queue: try row.text(0), customID: try row.text(1))] = try KnownJob(row)
        }
        for row in answers[1] {
            keyed[NewJob.Idempotency(key: try row.text(0), ordinal: try row.int(1))] = try KnownJob(row)
        }
        for row in answers[2] {
            requirements[try row.text(0)] = try RequirementState(row, from: 1)
            queues[try row.text(0)] = Queue(
                id: try row.int64(5),
                check: try row.bytesOrNil(6).map {
                    Checks.Stored(rules: $0, routes: try row.textOrNil(7) ?? "")
                })
        }
        for row in answers[3] { ordinals[try row.int64(0)] = try row.int64(1) }
        laneBudget = LaneBudget(budgeted: Set(try answers[4].map { row in try row.text(0) }))
        for row in answers[5] {
            let service = ServiceKey(
                provider: try row.text(0), endpoint: try row.text(1), credential: try row.text(3),
                simulated: try row.bool(4))
            routes[RouteKey(service: service, model: try row.text(2))] = try row.int64(5)
            guard let lane = try row.int64OrNil(6), let kind = LaneKind(rawValue: try row.text(9)) else {
                continue
            }
            let place = LanePlace(
                queue: try row.int64(7), route: try row.int64(5), budget: try row.text(8), kind: kind)
            lanes[place] = lane
        }
    }

    // MARK: What the rules ask

    func requirement(of queue: String) throws -> RequirementState? { requirements[queue] }
    func job(_ idempotency: NewJob.Idempotency) throws -> KnownJob? { keyed[idempotency] }

    func job(named customID: String, in queue: String) throws -> KnownJob? {
        named[Name(queue: queue, customID: customID)]
    }

    /// Only a preview asks.
    func route(_ key: RouteKey) throws -> RouteState? { nil }
    func cachedAnswer(_ hash: [UInt8], route: Int64) throws -> CachedAnswer? { nil }

    // MARK: What is taken

    /// Whether there is such a batch that takes jobs.
    func takesJobs(_ batch: BatchID?) -> Bool { batch.map { ordinals[$0.value] != nil } ?? true }

    func nextOrdinal(in batch: BatchID?) -> Int64? {
        guard let batch = batch?.value, let last = ordinals[batch] else { return nil }
        ordinals[batch] = last + 1
        return last + 1
    }

    func note(_ job: NewJob, id: Int64) {
        let known = KnownJob(id: JobID(id), fingerprint: job.fingerprint)
        if let customID = job.customID { named[Name(queue: job.queue, customID: customID)] = known }
        if let key = job.idempotency { keyed[key] = known }
    }

    func saveOrdinals(_ context: WriteContext) {
        let batches = ordinals.sorted { $0.key < $1.key }
        guard !batches.isEmpty else { return }
        context.run(
            .saveOrdinals, [.integers(batches.map { $0.key }), .integers(batches.map { $0.value })])
    }
}

extension KnownJob {
    /// Its number and its fingerprint, behind its two names.
    fileprivate init(_ row: Row) throws {
        self.init(id: JobID(try row.int64(2)), fingerprint: try row.bytes(3))
    }
}

extension RequirementState {
    /// System, check, input tokens, and whether there is a check, in this order.
    init(_ row: Row, from first: Int) throws {
        self.init(
            QueueRequirement(
                system: try row.bool(first), check: try row.bool(first + 1),
                maxInputTokens: try row.intOrNil(first + 2)), hasCheck: try row.bool(first + 3))
    }
}

extension Statement {
    fileprivate static let namedJobs = Statement(
        "named-jobs",
        """
        SELECT wanted.queue, wanted.custom_id, job.id, job.fingerprint
        FROM unnest($1::text[], $2::text[]) AS wanted (queue, custom_id)
        JOIN queue ON queue.name = wanted.queue
        JOIN job_name ON job_name.queue_id = queue.id AND job_name.custom_id = wanted.custom_id
        JOIN job ON job.id = job_name.job_id
        """, .texts, .texts)
    fileprivate static let keyedJobs = Statement(
        "keyed-jobs",
        """
        SELECT wanted.key, wanted.ordinal, job.id, job.fingerprint
        FROM unnest($1::text[], $2::bigint[]) AS wanted (key, ordinal)
        JOIN job_key ON job_key.idempotency_key = wanted.key AND job_key.idempotency_ordinal = wanted.ordinal
        JOIN job ON job.id = job_key.job_id
        """, .texts, .bigints)
    fileprivate static let requirements = Statement(
        "requirements",
        """
        SELECT name, requires_system, requires_check, max_input_tokens, check_rules IS NOT NULL, id, check_rules, check_routes
        FROM queue
        WHERE name = ANY ($1::text[])
        """, .texts)
    /// Routes that are known, each with its lanes for the queue, if it has any.
    fileprivate static let knownLanes = Statement(
        "known-lanes",
        """
        SELECT route.provider, route.endpoint, route.model, route.credential, route.simulated, route.id, lane.id, lane.queue_id,
            lane.budget, lane.kind
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[])
            AS wanted (queue, provider, endpoint, model, credential, simulated)
        JOIN route ON route.provider = wanted.provider AND route.endpoint = wanted.endpoint AND route.model = wanted.model
            AND route.credential = wanted.credential AND route.simulated = wanted.simulated
        LEFT JOIN queue ON queue.name = wanted.queue
        LEFT JOIN lane ON lane.queue_id = queue.id AND lane.route_id = route.id AND lane.batch_id IS NULL
            AND lane.kind <> 'interactive'
        """, .texts, .texts, .texts, .texts, .texts, .bools)
    /// What a batch of the compatible API has is what its one upload brought.
    private static let ordinalsOfBatches = """
        SELECT id, next_ordinal
        FROM batch
        WHERE id = ANY ($1::bigint[])
            AND ($2::boolean OR NOT EXISTS (SELECT 1 FROM message_batch WHERE message_batch.batch_id = batch.id))
        ORDER BY id
        """
    fileprivate static let ordinals = Statement(
        "ordinals", assembled: ordinalsOfBatches, [.bigints, .bool], isKept: true)
    fileprivate static let lockedOrdinals = Statement(
        "locked-ordinals", assembled: ordinalsOfBatches + " FOR NO KEY UPDATE OF batch", [.bigints, .bool],
        isKept: true)
    fileprivate static let taggedBudgets = Statement(
        "tagged-budgets", "SELECT subject FROM budget WHERE active AND scope = 'tag'")
    fileprivate static let saveOrdinals = Statement(
        "save-ordinals",
        """
        UPDATE batch
        SET next_ordinal = new.ordinal
        FROM unnest($1::bigint[], $2::bigint[]) AS new (id, ordinal)
        WHERE batch.id = new.id
        """, .bigints, .bigints)
}
