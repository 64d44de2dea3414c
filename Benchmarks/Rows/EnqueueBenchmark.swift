import JobStoreSQLite
import Jobs

/// Taking jobs in, without HTTP: what the store makes of what SQLite can do.
enum EnqueueBenchmark: Benchmark {
    static let name = "enqueue"
    static let summary = "jobs into the store of one process"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.jobs
        let bare = try BareStore(path: context.database("bare-enqueue"), request: Sample.request(count))
        let bareBulk = try bare.enqueue(count, perTransaction: 500)
        let bareGroup = try bare.enqueue(count, perTransaction: 64)
        let bareSingle = try bare.enqueue(min(count, 10_000), perTransaction: 1)
        let bulk = try await rate(context, "enqueue-bulk", count, Enqueueing.bulk)
        let single = try await rate(context, "enqueue-single", count, Enqueueing.single)
        return [
            Figure(
                "enqueue through the store, 500 a call", bulk, "jobs/s",
                ceiling: (bareBulk, "plain SQLite loop, same settings and row sizes, 500 a transaction")),
            Figure(
                "enqueue through the store, one a call, 64 callers", single, "jobs/s",
                ceiling: (bareGroup, "the same loop, 64 a transaction"),
                note: "the loop with one a transaction: \(Table.number(bareSingle)) jobs/s"),
        ]
    }

    private static func rate(
        _ context: BenchmarkContext, _ name: String, _ count: Int,
        _ enqueue: (any WholeStore, [NewJob]) async throws -> Double
    ) async throws -> Double {
        let store = try await SQLiteJobStore(path: context.database(name), clock: MachineClock())
        let rate = try await enqueue(store, try Sample.jobs(0..<count, for: Sample.service()))
        await store.close()
        return rate
    }
}
