import JobStoreSQLite
import Jobs

/// What a claim costs where millions of jobs wait beside those that can be claimed, and where every gate is in use.
enum BesideBenchmark: Benchmark {
    static let name = "beside"
    static let summary = "claims beside a paused, a scheduled and a broken backlog, and with all gates in use"

    private static let slots = 10

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let rounds = context.sizes.claims
        let jobs = rounds * slots + 100
        let alone = try await Claimer(context, "alone", jobs: jobs)
        let beside = try await Claimer(context, "beside", jobs: jobs)
        let gated = try await Claimer(context, "gated", jobs: jobs)
        try await beside.fill(context.sizes.bystanders, context)
        try await gated.closeGates()
        // In turns, so that what the disk and the machine were like counts for all of them.
        for _ in 0..<rounds {
            for claimer in [alone, beside, gated] { try await claimer.claim(slots) }
        }
        let count = Table.number(Double(context.sizes.bystanders))
        let base = alone.latencies.percentile(50)
        for claimer in [alone, beside, gated] { await claimer.store.close() }
        return [
            Figure("a claim of \(slots), median", base, "ms", note: "its commit, with a sync, included"),
            Figure(
                "the same beside \(count) paused, \(count) scheduled and a broken route's, relative",
                beside.latencies.percentile(50) / base, "×", note: "promised: at most 1.2"),
            Figure(
                "the same with all gates in use, relative", gated.latencies.percentile(50) / base, "×",
                note: "three limits by the second, concurrency, three queues; promised: at most 1.5"),
        ]
    }
}

/// One database and the times that claims on it took.
private final class Claimer {
    let store: SQLiteJobStore
    private let context: BenchmarkContext
    private let worker: WorkerID
    private var times: [Double] = []

    var latencies: Latencies { Latencies(times) }

    init(_ context: BenchmarkContext, _ name: String, jobs: Int) async throws {
        self.context = context
        store = try await SQLiteJobStore(path: context.database("beside-\(name)"), clock: MachineClock())
        worker = try await store.register(NewWorker(name: "bench", host: "bench", processID: 1, slots: 10))
        // Limits that never bind: else few calls fly while none are known.
        try await store.configure(
            route: RouteKey(service: Sample.service(), model: Sample.model),
            limits: RouteLimits(requests: 1_000_000_000))
        try await context.fill(store, jobs, for: Sample.service())
        try await settle(try await open(1))
    }

    func claim(_ slots: Int) async throws {
        let before = ContinuousClock.now
        let attempts = try await open(slots)
        times.append((ContinuousClock.now - before).seconds * 1000)
        guard attempts.count == slots else {
            throw BenchmarkError("\(attempts.count) of \(slots) were claimed")
        }
        try await settle(attempts)
    }

    /// Jobs that cannot be claimed: in a paused queue, scheduled for tomorrow, and on a route whose provider is down.
    func fill(_ count: Int, _ context: BenchmarkContext) async throws {
        _ = try await store.update(queue: "paused", QueuePatch(paused: true))
        try await fill(count) { $0.queue = "paused" }
        try await fill(count) { $0.delay = 86_400_000 }
        let down = Sample.service(at: "http://127.0.0.1:2")
        try await fill(1_000) { $0.route.service = down }
        for attempt in try await open(5, of: [down]) {
            let error = JobError(type: "connection_error", message: "down", retryable: true)
            _ = try await store.settle(
                Settlement(
                    key: attempt.key, verdict: .again(after: 86_400_000, error, .never),
                    routeEvent: .unavailable))
        }
    }

    func closeGates() async throws {
        let limits = RouteLimits(
            requests: 1_000_000_000, inputTokens: 1_000_000_000_000, outputTokens: 1_000_000_000_000,
            burst: 1_000)
        try await store.configure(
            route: RouteKey(service: Sample.service(), model: Sample.model), limits: limits)
        for queue in ["bench", "second", "third"] {
            _ = try await store.update(queue: queue, QueuePatch(concurrency: 1_000, weight: 100))
        }
        for queue in ["second", "third"] {
            try await fill(context.sizes.claims * 5) { $0.queue = queue }
        }
    }

    private func fill(_ count: Int, _ change: (inout NewJob) -> Void) async throws {
        for start in stride(from: 0, to: count, by: 1_000) {
            var jobs = try Sample.jobs(start..<min(count, start + 1_000), for: Sample.service())
            for index in jobs.indices {
                jobs[index].cache = .off
                change(&jobs[index])
            }
            _ = try await store.enqueue(jobs, atomically: false)
        }
    }

    private func open(_ slots: Int, of services: [ServiceKey]? = nil) async throws -> [ClaimedAttempt] {
        let request = ClaimRequest(
            worker: worker, slots: slots, running: 0, lease: 600_000,
            services: services ?? [Sample.service(), Sample.service(at: "http://127.0.0.1:2")])
        return try await store.claim(request).attempts
    }

    private func settle(_ attempts: [ClaimedAttempt]) async throws {
        let store = store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for attempt in attempts {
                group.addTask { _ = try await store.settle(Sample.success(attempt)) }
            }
            try await group.waitForAll()
        }
    }
}
