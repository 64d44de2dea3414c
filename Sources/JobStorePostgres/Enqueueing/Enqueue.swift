package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    package func enqueue(_ jobs: [NewJob], atomically: Bool) async throws -> [EnqueueOutcome] {
        guard !jobs.isEmpty else { return [] }
        guard jobs.count == 1 else {
            return try await write(.beside) { context in
                var enqueue = Enqueue(context)
                return try enqueue.run(jobs, atomically: atomically)
            }
        }
        do {
            let outcome = try await withCheckedThrowingContinuation { done in
                if enqueueBatcher.join(EnqueueEntry(job: jobs[0], done: done)) { enqueueTogether() }
            }
            return [outcome]
        } catch {
            throw JobStoreError(error)
        }
    }

    /// Sends one operation for those that wait by then.
    private func enqueueTogether() {
        let group = OperationBatcher.Group(enqueueBatcher)
        submit(.beside) {
            LoadedEnqueue.calls(group.entries.map(\.job), .common)
        } _: { context in
            var enqueue = Enqueue(context)
            return try enqueue.run(group.entries.map(\.job))
        } completion: { [self] result in
            let entries = group.entries
            switch result {
            case .success(let outcomes):
                for (entry, outcome) in zip(entries, outcomes) { entry.done.resume(returning: outcome) }
            case .failure(let error) where entries.count == 1 || JobStoreError(error).code == .unavailable:
                for entry in entries { entry.done.resume(throwing: error) }
            case .failure:
                // One that cannot be taken must not spoil its neighbours.
                for entry in entries {
                    submit(.beside) { context in
                        var enqueue = Enqueue(context)
                        return try enqueue.run([entry.job])[0]
                    } completion: {
                        entry.done.resume(with: $0)
                    }
                }
            }
        }
    }
}

/// A job on its way to a transaction that it shares.
struct EnqueueEntry: Sendable {
    static let limit = 128

    let job: NewJob
    let done: CheckedContinuation<EnqueueOutcome, any Error>
}

/// Takes jobs into lanes: what is known of them is loaded at once, and all that are taken are written at once.
struct Enqueue {
    let context: WriteContext
    private let target: EnqueueTarget
    private var queues: [String: LoadedEnqueue.Queue] = [:]
    private var routes: [RouteKey: Int64] = [:]
    private var lanes: [LaneName: Int64] = [:]

    private struct LaneName: Hashable {
        var queue: Int64
        var route: RouteKey
        var budget: String
        var isHalfPrice: Bool
    }

    init(_ context: WriteContext, into target: EnqueueTarget = .common) {
        self.context = context
        self.target = target
    }

    /// With `atomically` all of them or none.
    mutating func run(_ jobs: [NewJob], atomically: Bool = false) throws -> [EnqueueOutcome] {
        let loaded = try LoadedEnqueue(jobs, target, context)
        (queues, routes) = (loaded.queues, loaded.routes)
        context.lanes.merge(loaded.lanes) { known, _ in known }
        var rules = EnqueueRules(loaded)
        var ids = try context.newJobIDs(jobs.count)[...]
        var taken: [TakenJob] = []
        let outcomes = try jobs.map { job -> EnqueueOutcome in
            if let known = try rules.repetition(of: job) { return known }
            // What is sealed has been asked before: there it is with its fault.
            if !target.isSealed, let refusal = try rules.refusal(of: job) { return .refused(refusal) }
            guard loaded.takesJobs(job.batch) else { return .noSuchBatch }
            guard let id = ids.popFirst() else { throw JobStoreError(.internal, "a job has no number") }
            loaded.note(job, id: id)
            taken.append(TakenJob(id: id, job: job, ordinal: loaded.nextOrdinal(in: job.batch)))
            return .created(JobID(id))
        }
        guard !atomically || outcomes.allSatisfy({ $0.id != nil }) else { return outcomes }
        try write(&taken, loaded)
        return outcomes
    }

    private mutating func write(_ taken: inout [TakenJob], _ loaded: LoadedEnqueue) throws {
        guard !taken.isEmpty else { return }
        for index in taken.indices {
            let job = taken[index].job
            let queue = try queue(job.queue)
            taken[index].queue = queue.id
            taken[index].lane = try lane(of: job, queue.id, loaded.laneBudget)
            taken[index].check = try check(of: job, queue.check)
            context.tallies.moved(
                lane: taken[index].lane, batch: job.batch?.value, from: nil, to: .queued)
        }
        context.insert(taken)
        loaded.saveOrdinals(context)
    }

    // MARK: Names

    private mutating func queue(_ name: String) throws -> LoadedEnqueue.Queue {
        if let known = queues[name] { return known }
        let queue = LoadedEnqueue.Queue(id: try context.queueID(name), check: nil)
        queues[name] = queue
        return queue
    }

    private mutating func lane(of job: NewJob, _ queue: Int64, _ laneBudget: LaneBudget) throws -> Int64 {
        let name = LaneName(
            queue: queue, route: job.route, budget: laneBudget.name(of: job.tags),
            isHalfPrice: job.isHalfPrice)
        if let known = lanes[name] { return known }
        let lane = try context.laneID(
            of: target.place(
                queue: queue, route: route(job.route), budget: name.budget, isHalfPrice: name.isHalfPrice))
        lanes[name] = lane
        return lane
    }

    private mutating func route(_ key: RouteKey) throws -> Int64 {
        let id = try routes[key] ?? context.routeID(key)
        routes[key] = id
        return id
    }

    /// The job's own check, or its queue's.
    private mutating func check(of job: NewJob, _ queueCheck: Checks.Stored?) throws -> Checks.Stored? {
        guard let own = job.check else { return job.refusesQueueCheck ? nil : queueCheck }
        return Checks.Stored(rules: own.rules, routes: Checks.routeList(try own.routes.map { try route($0) }))
    }
}

/// A new job on its way to its rows.
struct TakenJob {
    let id: Int64
    let job: NewJob
    var ordinal: Int64?
    var queue: Int64 = 0
    var lane: Int64 = 0
    var check: Checks.Stored?
}
