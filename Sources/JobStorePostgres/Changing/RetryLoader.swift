import Jobs
import Postgres
import StoreRules

/// A job that a retry changes, and how.
struct EditedJob {
    let job: JobRecord
    let kind: RetryKind
}

/// Reads what retries of one operation need: many jobs in a few statements, and what they share once.
struct RetryLoader {
    private let context: WriteContext
    private let change: RetryChange
    private let laneBudget: LaneBudget
    /// The route that the change names.
    private let route: Int64?
    private var services: [Int64: ServiceKey] = [:]

    init(_ context: WriteContext, _ change: RetryChange) throws {
        self.context = context
        self.change = change
        laneBudget = try LaneBudget.load(context.access)
        route = try change.route.map { try context.routeID($0) }
    }

    /// Those that are not refused.
    func edited(_ jobs: [JobRecord]) throws -> [EditedJob] {
        let batches = Set(jobs.compactMap(\.batch)).sorted()
        let published = try MessageBatches.closed(among: batches, context.access)
        return jobs.compactMap { job in
            RetryKind(job, change, isPublished: job.batch.map(published.contains) ?? false)
                .map { EditedJob(job: job, kind: $0) }
        }
    }

    mutating func snapshots(_ edited: ArraySlice<EditedJob>) throws -> [RetrySnapshot] {
        let checks = try checks(of: edited.filter { $0.kind == .reopen && $0.job.hasCheck }.map(\.job.id))
        let needsBodies = edited.map(\.job.id).filter { !change.isEmpty || checks[$0]?.hasMoved == true }
        let sent = try SentRequest.load(needsBodies, context.access)
        if !needsBodies.isEmpty {
            try loadServices(
                edited.map(\.job.place.route) + checks.values.map(\.route) + [route].compactMap(\.self))
        }
        return edited.map { edited in
            var snapshot = RetrySnapshot(job: edited.job, laneBudget: laneBudget)
            snapshot.check = checks[edited.job.id]
            snapshot.sent = sent[edited.job.id]
            if snapshot.sent != nil { (snapshot.route, snapshot.services) = (route, services) }
            return snapshot
        }
    }

    private func checks(of jobs: [Int64]) throws -> [Int64: RetrySnapshot.CheckStart] {
        guard !jobs.isEmpty else { return [:] }
        return try context.query(.checkStarts, [.integerArray(jobs)]).reduce(into: [:]) { checks, row in
            checks[try row.int64(0)] = RetrySnapshot.CheckStart(
                route: try row.int64(1), hasMoved: try row.bool(2))
        }
    }

    private mutating func loadServices(_ routes: [Int64]) throws {
        let missing = Set(routes).subtracting(services.keys)
        for route in try RouteState.load(missing.sorted(), context.access) {
            services[route.id] = route.key.service
        }
    }
}

extension [EditedJob] {
    /// Bytes of requests that are loaded together.
    private static var portionBytes: Int { 8 << 20 }

    /// As many at a time as have few bytes together; at least one.
    var portions: [ArraySlice<EditedJob>] {
        var portions: [ArraySlice<EditedJob>] = []
        var (start, bytes) = (startIndex, 0)
        for index in indices {
            bytes += self[index].job.requestBytes
            guard bytes > Self.portionBytes, index > start else { continue }
            portions.append(self[start..<index])
            (start, bytes) = (index, self[index].job.requestBytes)
        }
        return start < endIndex ? portions + [self[start...]] : portions
    }
}

extension Statement {
    fileprivate static let checkStarts = Statement(
        "check-starts",
        """
        SELECT job_check.job_id, lane.route_id, job_check.request IS NOT NULL
        FROM job_check
        JOIN lane ON lane.id = job_check.first_lane_id
        WHERE job_check.job_id = ANY ($1::bigint[])
        """, .bigints)
}
