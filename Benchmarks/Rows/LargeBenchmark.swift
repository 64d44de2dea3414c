import JobStoreSQLite
import Jobs

/// A database of millions of jobs: what it costs that they are there.
enum LargeBenchmark: Benchmark {
    static let name = "large"
    static let summary = "claims, starts and lists with a million jobs queued and a million finished"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.bystanders
        let small = try await claims(context, "small", finished: 0, queued: 1_000)
        let large = try await claims(context, "large", finished: count, queued: count)
        let path = context.database("large")
        let start = try await BulkBenchmark.timeToReady(context, database: path)
        let server = try await context.server(database: path, log: "large-serve")
        let queries = try await Queries.take(at: server.url, now: MachineClock().now().timestamp)
        let memory = try server.child.facts().residentMiB
        await server.child.stop()
        let jobs = "\(Table.number(Double(count))) jobs queued and \(Table.number(Double(count))) finished"
        return [
            Figure(
                "claim 100 at a time and settle each, with \(jobs)", large, "jobs/s",
                ceiling: (small, "the same with 1,000 queued")),
            Figure("start of a server to its first 200 on /ready, with them", start, "ms"),
            Figure(
                "lists, filters, statistics and results of them, one after the other: p99",
                queries.all.percentile(99), "ms", note: queries.text),
            Figure("memory of the server after this", memory, "MiB"),
        ]
    }

    /// The number of queued jobs stays about the same: what is claimed is filled up again.
    private static func claims(
        _ context: BenchmarkContext, _ name: String, finished: Int, queued: Int
    ) async throws -> Double {
        let path = context.database(name)
        if finished > 0 { _ = try await FinishedJobs.make(finished, path: path) }
        let store = try await SQLiteJobStore(path: path, clock: MachineClock())
        let claiming = try await Claiming(store)
        let portion = 1_000
        for start in stride(from: 0, to: queued, by: portion) {
            let numbers = (10_000_000 + start)..<(10_000_000 + start + portion)
            _ = try await store.enqueue(try waiting(numbers), atomically: false)
        }
        var rates: [Double] = []
        for round in 0..<(context.sizes.jobs / 5 / portion) {
            rates.append(try await claiming.rate(of: portion))
            let numbers = (round * portion)..<((round + 1) * portion)
            _ = try await store.enqueue(try Sample.jobs(numbers, for: Sample.service()), atomically: false)
        }
        await store.close()
        return Latencies(rates).percentile(50)
    }

    /// Every tenth with the tag that half of the finished ones have.
    private static func waiting(_ numbers: Range<Int>) throws -> [NewJob] {
        try numbers.map { number in
            var job = try Sample.job(number, for: Sample.service())
            if number.isMultiple(of: 10) { job.tags = ["common"] }
            return job
        }
    }
}
