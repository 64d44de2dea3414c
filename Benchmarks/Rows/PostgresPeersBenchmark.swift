import JobStorePostgres
import Jobs
import Postgres

/// What other queues on PostgreSQL reach with the same payloads on the same server, and what renga does beside them.
enum PostgresPeersBenchmark: Benchmark {
    static let name = "postgres-peers"
    static let summary = "PGMQ's way, Solid Queue's way and renga, by workers and by jobs a transaction"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        var figures: [Figure] = []
        for (perTransaction, count) in [(1, context.sizes.jobs / 5), (100, context.sizes.jobs)] {
            for workers in [1, 16] {
                figures += try await figuresOf(
                    context, workers: workers, perTransaction: perTransaction, count)
            }
        }
        return figures
    }

    private static func figuresOf(
        _ context: BenchmarkContext, workers: Int, perTransaction: Int, _ count: Int
    ) async throws -> [Figure] {
        let what = "\(workers) worker\(workers == 1 ? "" : "s"), \(perTransaction) a transaction"
        var peers: [Figure] = []
        for queue in PeerHelper.queues {
            // So many more as they are quicker.
            let outcome = try await rate(
                context, queue, workers, perTransaction, count * (perTransaction > 1 ? 4 : 1))
            peers.append(
                Figure("\(queue.title), \(what)", outcome.rate, "jobs/s", note: outcome.processorTime))
        }
        let renga = try await renga(context, workers, perTransaction, count)
        let best = peers.map(\.value).max() ?? 0
        // With one job a transaction the promise is to be no slower; with a hundred the ratio is told.
        let goal: Figure.Goal? = workers > 1 && perTransaction == 1 ? .share(1) : nil
        return peers + [
            Figure(
                "renga, \(what)", renga.rate, "jobs/s", ceiling: (best, "the quicker of the two"),
                goal: goal,
                note: "with limits, two budgets, answers kept and shared; \(renga.processorTime)")
        ]
    }

    private static func rate(
        _ context: BenchmarkContext, _ queue: any PeerQueue.Type, _ workers: Int, _ perTransaction: Int,
        _ count: Int
    ) async throws -> Claimers.Outcome {
        let place = try context.postgres.database()
        let connection = try PostgresPlace.openPlain(place.url)
        try connection.execute(script: queue.schema)
        for start in stride(from: 0, to: count, by: 500) {
            try queue.add((start..<min(count, start + 500)).map(Sample.request), connection)
        }
        try connection.execute(script: "VACUUM ANALYZE")
        return try await Claimers(
            context: context, words: ["peer", place.url, queue.word, "\(perTransaction)"], processes: workers
        ).run(expecting: count, within: .seconds(600))
    }

    private static func renga(
        _ context: BenchmarkContext, _ workers: Int, _ perTransaction: Int, _ count: Int
    ) async throws -> Claimers.Outcome {
        let place = try await context.postgres.preparedDatabase()
        let store = try await place.openStore()
        try await context.fill(store, count, for: Sample.service())
        await store.close()
        try place.connect().execute(script: "VACUUM ANALYZE")
        return try await Claimers(
            context: context, words: ["claim", place.url, "\(perTransaction)"], processes: workers
        ).run(expecting: count, within: .seconds(600))
    }
}
