import JobStorePostgres
import Jobs

/// What a network between renga and its database costs.
enum PostgresDistanceBenchmark: Benchmark {
    static let name = "postgres-distance"
    static let summary = "claims and settlements with 0.5 ms added to each round trip to PostgreSQL"

    private static let processes = 4
    private static let microsecondsEachWay = 250

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let near = try await rate(context, microsecondsEachWay: 0)
        let far = try await rate(context, microsecondsEachWay: microsecondsEachWay)
        return [
            Figure(
                "claim 100 at a time and settle each, \(processes) processes on one route, 0.5 ms added to each round trip",
                far.rate, "jobs/s", ceiling: (near.rate, "the same through the same relay without delay"),
                goal: .share(0.75),
                note: "claims \(far.claims.text), without delay \(near.claims.text); settlements "
                    + "\(far.settlements.text), without delay \(near.settlements.text)")
        ]
    }

    private static func rate(_ context: BenchmarkContext, microsecondsEachWay: Int) async throws
        -> Claimers.Outcome
    {
        let count = context.sizes.jobs / 2
        let place = try await context.postgres.preparedDatabase()
        let store = try await place.openStore()
        try await context.fill(store, count, for: Sample.service())
        await store.close()
        let relay = try context.helper(
            ["distance", "\(place.port)", "\(microsecondsEachWay)"], log: "distance-\(microsecondsEachWay)")
        guard let port = Helper.numbers(in: try await relay.line(with: "port")).first else {
            throw BenchmarkError("the relay has no port")
        }
        let outcome = try await Claimers(
            context, database: place.url(through: Int(port)), processes: processes
        )
        .run(expecting: count, within: .seconds(600))
        await relay.stop()
        return outcome
    }
}
