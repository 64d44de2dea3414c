import JobStoreSQLite
import Jobs

/// A database of millions of jobs: what it costs that they are there.
enum LargeBenchmark: Benchmark {
    static let name = "large"
    static let summary = "claims, starts and lists with a million jobs queued and a million finished"

    static func run(_ bench: Bench) async throws -> [Figure] {
        let crowd = bench.sizes.crowd
        let small = try await claims(bench, "small", finished: 0, queued: 1_000)
        let large = try await claims(bench, "large", finished: crowd, queued: crowd)
        let path = bench.database("large")
        let start = try await BulkBenchmark.timeToReady(bench, database: path)
        let server = try await bench.server(database: path, log: "large-serve")
        let looks = try await Looks.take(at: server.url, now: bench.now.timestamp)
        let memory = try server.child.facts().residentMiB
        await server.child.stop()
        let jobs = "\(Table.number(Double(crowd))) jobs queued and \(Table.number(Double(crowd))) finished"
        return [
            Figure(
                "claim 100 at a time and settle each, with \(jobs)", large, "jobs/s",
                ceiling: (small, "the same with 1,000 queued")),
            Figure("start of a server to its first 200 on /ready, with them", start, "ms"),
            Figure(
                "lists, filters, statistics and results of them, one after the other: p99",
                looks.all.percentile(99), "ms", note: looks.text),
            Figure("memory of the server after this", memory, "MiB"),
        ]
    }

    /// The number of queued jobs stays about the same: what is claimed is filled up again.
    private static func claims(
        _ bench: Bench, _ name: String, finished: Int, queued: Int
    ) async throws -> Double {
        let path = bench.database(name)
        if finished > 0 { _ = try await FinishedCrowd.make(finished, path: path, bench) }
        let store = try await SQLiteJobStore(path: path)
        let claiming = try await Claiming(bench, store)
        let portion = 1_000
        for start in stride(from: 0, to: queued, by: portion) {
            let numbers = (10_000_000 + start)..<(10_000_000 + start + portion)
            _ = try await store.enqueue(try waiting(numbers), atomically: false, now: bench.now)
        }
        var rates: [Double] = []
        for round in 0..<(bench.sizes.jobs / 5 / portion) {
            rates.append(try await claiming.rate(of: portion))
            let numbers = (round * portion)..<((round + 1) * portion)
            _ = try await store.enqueue(
                try Sample.jobs(numbers, for: Sample.service()), atomically: false, now: bench.now)
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
