import JobStorePostgres
import Jobs

/// What it costs on PostgreSQL that millions of jobs are there.
enum PostgresLargeBenchmark: Benchmark {
    static let name = "postgres-large"
    static let summary = "claims on PostgreSQL beside a million jobs queued and a million finished"

    private static let portion = 1_000

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.bystanders
        let small = try await open(context, copies: 0)
        let large = try await open(context, copies: count)
        var rates: (small: [Double], large: [Double]) = ([], [])
        // In turns, so that what the disk and the machine were like counts for both.
        for round in 0..<max(5, context.sizes.jobs / 5 / portion) {
            rates.small.append(try await claim(small, round))
            rates.large.append(try await claim(large, round))
        }
        await small.store.close()
        await large.store.close()
        let jobs = Table.number(Double(count))
        return [
            Figure(
                "claim 100 at a time and settle each on PostgreSQL, with \(jobs) jobs queued and \(jobs) finished",
                Latencies(rates.large).percentile(50), "jobs/s",
                ceiling: (Latencies(rates.small).percentile(50), "the same with 1,000 queued, in turns"),
                goal: .share(0.8), note: "medians of \(rates.large.count) times \(portion) jobs")
        ]
    }

    private static func open(_ context: BenchmarkContext, copies: Int) async throws -> Claiming {
        let place = try await context.postgres.preparedDatabase()
        let store = try await place.openStore()
        let claiming = try await Claiming(store, limits: PostgresServer.limits)
        if copies > 0 {
            let finished = try await store.enqueue(
                [try Sample.job(-2, for: Sample.service())], atomically: true)
            _ = try await claiming.rate(of: 1)
            let waiting = try await store.enqueue(
                [try Sample.job(-3, for: Sample.service())], atomically: true)
            guard let done = finished.first?.id, let queued = waiting.first?.id else {
                throw BenchmarkError("no job was taken in")
            }
            let copying = try PostgresCopies(place)
            try copying.finish(copies, like: done)
            try copying.queue(copies, like: queued)
            try copying.settleDown()
        }
        try await context.fill(store, portion, from: 10_000_000, for: Sample.service())
        return claiming
    }

    /// What is claimed is filled up again.
    private static func claim(_ claiming: Claiming, _ round: Int) async throws -> Double {
        let rate = try await claiming.rate(of: portion)
        for start in stride(from: round * portion, to: (round + 1) * portion, by: 500) {
            let jobs = try Sample.jobs(start..<(start + 500), for: Sample.service())
            _ = try await claiming.store.enqueue(jobs, atomically: false)
        }
        return rate
    }
}
