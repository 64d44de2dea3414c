import Jobs

/// A worker without calls: claims a hundred at a time and settles each by itself, all of them at once.
struct Claiming: Sendable {
    let store: any WholeStore
    let worker: WorkerID
    var slots = 100

    /// What was done, and how long each claim and each settlement took, in milliseconds.
    struct Done: Sendable {
        var jobs = 0
        var claims: [Double] = []
        var settlements: [Double] = []
    }

    /// Until nothing is queued.
    ///
    /// Some fail, of an error of the type given.
    func drain(failing: [JobID: String] = [:]) async throws -> Done {
        var done = Done()
        while true {
            guard try await turn(&done, failing: failing) == 0 else { continue }
            guard try await store.count(JobFilter(state: .queued)) > 0 else { return done }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Jobs a second over so many, or a few more.
    func rate(of count: Int) async throws -> Double {
        var done = Done()
        let clock = ContinuousClock()
        let start = clock.now
        while done.jobs < count {
            guard try await turn(&done) > 0 else {
                throw BenchmarkError("\(done.jobs) of \(count) jobs could be claimed")
            }
        }
        return Double(done.jobs) / (clock.now - start).seconds
    }

    /// Claims once, and settles what it got; returns how many those were.
    func turn(_ done: inout Done, failing: [JobID: String] = [:]) async throws -> Int {
        let request = ClaimRequest(
            worker: worker, slots: slots, running: 0, lease: 30_000, services: [Sample.service()])
        let start = ContinuousClock.now
        let attempts = try await store.claim(request).attempts
        done.jobs += attempts.count
        guard !attempts.isEmpty else { return 0 }
        done.claims.append((ContinuousClock.now - start).milliseconds)
        done.settlements += try await withThrowingTaskGroup(of: Double.self) { group in
            for attempt in attempts {
                let type = failing[attempt.key.job]
                let settlement = type.map { Sample.failure(attempt, $0) } ?? Sample.success(attempt)
                group.addTask { try await settle(settlement) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return attempts.count
    }

    /// Returns how long it took.
    private func settle(_ settlement: Settlement) async throws -> Double {
        let start = ContinuousClock.now
        _ = try await store.settle(settlement)
        return (ContinuousClock.now - start).milliseconds
    }
}

extension Claiming {
    /// In this process; limits that never bind, else few calls fly while none are known.
    init(_ store: any WholeStore, limits: RouteLimits = RouteLimits(requests: 1_000_000_000)) async throws {
        let worker = try await store.register(
            NewWorker(name: "bench", host: "bench", processID: 1, slots: 100))
        try await store.configure(
            route: RouteKey(service: Sample.service(), model: Sample.model), limits: limits)
        self.init(store: store, worker: worker)
    }
}
