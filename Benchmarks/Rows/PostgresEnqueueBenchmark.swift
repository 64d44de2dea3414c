import JobStorePostgres
import Jobs

/// Taking jobs in on PostgreSQL, without HTTP: what the store makes of what the server can do.
enum PostgresEnqueueBenchmark: Benchmark {
    static let name = "postgres-enqueue"
    static let summary = "jobs into the store of one process, on PostgreSQL"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.jobs
        let bulk = try await measured(between: { try await bare(context, count, perTransaction: 500) }) {
            try await rate(context, count, Enqueueing.bulk)
        }
        let single = try await measured(between: { try await bare(context, count, perTransaction: 64) }) {
            try await rate(context, count, Enqueueing.single)
        }
        let bareSingle = try await bare(context, min(count, 5_000), perTransaction: 1)
        return [
            Figure(
                "enqueue through the store on PostgreSQL, 500 a call", bulk.value, "jobs/s",
                ceiling: (bulk.ceiling, "plain loop over libpq on the same schema, 500 a transaction"),
                goal: .share(0.5)),
            Figure(
                "enqueue through the store on PostgreSQL, one a call, 64 callers", single.value, "jobs/s",
                ceiling: (single.ceiling, "the same loop, 64 a transaction"), goal: .share(0.4),
                note: "the loop with one a transaction: \(Table.number(bareSingle)) jobs/s"),
        ]
    }

    private static func bare(_ context: BenchmarkContext, _ count: Int, perTransaction: Int) async throws
        -> Double
    {
        try BarePostgres(try await context.postgres.preparedDatabase(), request: Sample.request(count))
            .enqueue(count, perTransaction: perTransaction)
    }

    private static func rate(
        _ context: BenchmarkContext, _ count: Int,
        _ enqueue: (any WholeStore, [NewJob]) async throws -> Double
    ) async throws -> Double {
        let store = try await context.postgres.preparedDatabase().openStore()
        let rate = try await enqueue(store, try Sample.jobs(0..<count, for: Sample.service()))
        await store.close()
        return rate
    }
}
