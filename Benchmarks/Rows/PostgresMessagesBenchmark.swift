/// Interactive calls on PostgreSQL beside the same on SQLite, on the same machine and in turns.
enum PostgresMessagesBenchmark: Benchmark {
    static let name = "postgres-messages"
    static let summary = "POST /v1/messages on PostgreSQL beside SQLite, upstream without delay"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let simulator = try await context.simulator(latency: "0")
        let lite = try await context.server(
            database: context.database("messages"), provider: simulator.url, log: "serve-sqlite")
        let place = try context.postgres.database()
        let server = try await context.server(
            database: place.url, provider: simulator.url, log: "serve-postgres")
        var figures: [Figure] = []
        for connections in [1, 32, 256] {
            let onSQLite = try await MessagesBenchmark.load(context, lite.url, connections)
            let start = try server.child.facts().cpuSeconds
            let result = try await MessagesBenchmark.load(context, server.url, connections)
            let cpu = try server.child.facts().cpuSeconds - start
            let each = Table.number(cpu / Double(result.count) * 1e6)
            figures.append(
                Figure(
                    "POST /v1/messages on PostgreSQL, \(connections) connections", result.rate, "requests/s",
                    ceiling: (onSQLite.rate, "the same on SQLite"), goal: .share(0.6),
                    note:
                        "\(result.latencies.text); on SQLite \(onSQLite.latencies.text); renga \(each) µs each"
                ))
        }
        figures.append(
            Figure("memory of the server after this", try server.child.facts().residentMiB, "MiB"))
        for child in [server.child, lite.child, simulator.child] { await child.stop() }
        return figures
    }
}
