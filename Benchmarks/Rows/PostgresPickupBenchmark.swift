import JobStorePostgres
import Jobs

/// How soon an idle worker takes up what another process has enqueued on PostgreSQL.
enum PostgresPickupBenchmark: Benchmark {
    static let name = "postgres-pickup"
    static let summary = "from the commit in one process to the call upstream from another, on PostgreSQL"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let place = try context.postgres.database()
        let store = try await place.openStore()
        // Its process is told at once; others hear of it by a notification.
        let other = try await place.openStore()
        let figures = try await PickupBenchmark.measure(
            context, place.url, store, hearing: other, goals: (.atMost(4), .atMost(10)))
        await store.close()
        await other.close()
        return figures
    }
}
