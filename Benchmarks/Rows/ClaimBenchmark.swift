import JobStoreSQLite
import Jobs

/// Opening and closing attempts, without calls: each job claimed under a lease, and settled by itself.
enum ClaimBenchmark: Benchmark {
    static let name = "claim"
    static let summary = "claims and settlements by one process, by four and by 16 on one database"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.jobs
        let bare = try BareStore(path: context.database("bare-claim"), request: Sample.request(count))
        _ = try bare.enqueue(count, perTransaction: 500)
        let ceiling = try bare.claimAndSettle(perTransaction: 100)
        let one = try await rate(context, processes: 1, count)
        let four = try await rate(context, processes: 4, count)
        let sixteen = try await rate(context, processes: 16, count)
        let what = "plain SQLite loop with attempts and answers, 100 a transaction"
        return [
            Figure(
                "claim 100 at a time and settle each, 1 process", one.rate, "jobs/s", ceiling: (ceiling, what)
            ),
            Figure(
                "the same, 4 processes on one database", four.rate, "jobs/s",
                ceiling: (ceiling, "the same loop, alone on the database"), note: four.processorTime),
            Figure(
                "longest wait of a bystander for the write lock meanwhile", four.worstWait, "ms",
                note: "a fifth process that wrote one row every 5 ms, \(four.writes) in all"),
            Figure(
                "the same, 16 processes", sixteen.rate, "jobs/s", ceiling: (ceiling, "the same loop, alone")),
            Figure(
                "longest wait of a bystander for the write lock meanwhile", sixteen.worstWait, "ms",
                note: "\(sixteen.writes) writes"),
        ]
    }

    struct Outcome {
        var claimers: Claimers.Outcome
        var worstWait: Double
        var writes: Int

        var rate: Double { claimers.rate }
        var processorTime: String { claimers.processorTime }
    }

    static func rate(_ context: BenchmarkContext, processes: Int, _ count: Int) async throws -> Outcome {
        let path = context.database("claim-\(processes)-\(count)")
        try await fill(path, context, count)
        let bystander = try context.helper(["bystander", path], log: "bystander-\(processes)")
        _ = try await bystander.line(with: "ready")
        let outcome = try await Claimers(context, database: path, processes: processes)
            .run(expecting: count)
        try bystander.send("enough")
        let waits = Helper.numbers(in: try await bystander.line(with: "worst"))
        try await bystander.wait(within: .seconds(20))
        return Outcome(claimers: outcome, worstWait: waits[0], writes: Int(waits[1]))
    }

    private static func fill(_ path: String, _ context: BenchmarkContext, _ count: Int) async throws {
        let store = try await SQLiteJobStore(path: path, clock: MachineClock())
        try await context.fill(store, count, for: Sample.service())
        await store.close()
    }
}
