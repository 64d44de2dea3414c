import JobStoreSQLite
import Jobs

/// A worker without calls: claims a hundred at a time and settles each by itself, all of them at once.
struct Claiming: Sendable {
    let store: SQLiteJobStore
    let worker: WorkerID

    /// Until nothing is queued; returns how many it did.
    ///
    /// Some fail, of an error of the type given.
    func drain(failing: [JobID: String] = [:]) async throws -> Int {
        var jobs = 0
        while true {
            let done = try await turn(failing: failing)
            jobs += done
            guard done == 0 else { continue }
            guard try await store.count(JobFilter(state: .queued)) > 0 else { return jobs }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Jobs a second over so many, or a few more.
    func rate(of count: Int) async throws -> Double {
        var jobs = 0
        let clock = ContinuousClock()
        let start = clock.now
        while jobs < count {
            let done = try await turn()
            guard done > 0 else { throw BenchmarkError("\(jobs) of \(count) jobs could be claimed") }
            jobs += done
        }
        return Double(jobs) / (clock.now - start).seconds
    }

    private func turn(failing: [JobID: String] = [:]) async throws -> Int {
        let request = ClaimRequest(
            worker: worker, slots: 100, running: 0, lease: 30_000, services: [Sample.service()])
        let attempts = try await store.claim(request).attempts
        try await withThrowingTaskGroup(of: Void.self) { group in
            for attempt in attempts {
                let type = failing[attempt.key.job]
                let settlement = type.map { Sample.failure(attempt, $0) } ?? Sample.success(attempt)
                group.addTask { _ = try await store.settle(settlement) }
            }
            try await group.waitForAll()
        }
        return attempts.count
    }
}

extension Claiming {
    /// In this process; limits that never bind, else few calls fly while none are known.
    init(_ store: SQLiteJobStore) async throws {
        let worker = try await store.register(
            NewWorker(name: "bench", host: "bench", processID: 1, slots: 100))
        try await store.configure(
            route: RouteKey(service: Sample.service(), model: Sample.model),
            limits: RouteLimits(requests: 1_000_000_000))
        self.init(store: store, worker: worker)
    }
}
