import JobStorePostgres
import Jobs

/// Opening and closing attempts on PostgreSQL, without calls, by one process and by several on one route.
enum PostgresClaimBenchmark: Benchmark {
    static let name = "postgres-claim"
    static let summary = "claims and settlements on PostgreSQL by one process, by four and by 16 on one route"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.jobs
        let (one, ceiling) = try await measured(between: { try await bare(context, count) }) {
            try await rate(context, processes: 1, count)
        }
        let four = try await rate(context, processes: 4, count)
        let sixteen = try await rate(context, processes: 16, count)
        return [
            Figure(
                "claim 100 at a time and settle each on PostgreSQL, 1 process", one.rate, "jobs/s",
                ceiling: (
                    ceiling, "plain loop over libpq on the same schema with the same locks, 100 a transaction"
                ), goal: .share(0.4), note: note(one)),
            Figure(
                "the same, 4 processes on one route", four.rate, "jobs/s", ceiling: (one.rate, "1 process"),
                goal: .share(0.9), note: note(four)),
            Figure(
                "the same, 16 processes on one route", sixteen.rate, "jobs/s",
                ceiling: (one.rate, "1 process"), goal: .share(0.7), note: note(sixteen)),
            Figure(
                "a settlement with 16 processes on one route: p99", sixteen.settlements.percentile(99), "ms",
                goal: .atMost(20),
                note: "100 callers a process; one of a process alone: p99 "
                    + "\(Table.number(one.settlements.percentile(99))) ms"),
        ]
    }

    private static func bare(_ context: BenchmarkContext, _ count: Int) async throws -> Double {
        let bare = try BarePostgres(
            try await context.postgres.preparedDatabase(), request: Sample.request(count))
        _ = try bare.enqueue(count, perTransaction: 500)
        return try bare.claimAndSettle(perTransaction: 100)
    }

    private static func rate(_ context: BenchmarkContext, processes: Int, _ count: Int) async throws
        -> Claimers.Outcome
    {
        let place = try await context.postgres.preparedDatabase()
        let store = try await place.openStore()
        try await context.fill(store, count, for: Sample.service())
        await store.close()
        return try await Claimers(context, database: place.url, processes: processes)
            .run(expecting: count, within: .seconds(600))
    }

    private static func note(_ outcome: Claimers.Outcome) -> String {
        "\(outcome.processorTime) without the server's; claims \(outcome.claims.text); "
            + "settlements \(outcome.settlements.text)"
    }
}
