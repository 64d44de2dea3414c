/// What renga costs while there is nothing to do.
enum IdleBenchmark: Benchmark {
    static let name = "idle"
    static let summary = "processor time and memory of an idle server and worker, and the time to start"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let version = try await timeOfVersion(context)
        let start = try await BulkBenchmark.timeToReady(context, database: context.database("empty"))
        let path = context.database("idle")
        let server = try await context.server(database: path)
        let worker = try context.worker(database: path, provider: "http://127.0.0.1:1", slots: 40)
        _ = try await worker.line(with: "worker starts")
        // What a start leaves to do is done by then.
        try await Task.sleep(for: .seconds(2))
        let before = try (server.child.facts(), worker.facts())
        let elapsed = try await seconds { try await Task.sleep(for: .seconds(context.sizes.idle)) }
        let after = try (server.child.facts(), worker.facts())
        await server.child.stop()
        await worker.stop()
        func share(_ before: ProcessFacts, _ after: ProcessFacts) -> Double {
            (after.cpuSeconds - before.cpuSeconds) / elapsed * 100
        }
        let over = "of one processor, over \(Table.number(elapsed.rounded())) s, in ticks of 10 ms"
        return [
            Figure("idle server", share(before.0, after.0), "%", note: over),
            Figure("idle worker", share(before.1, after.1), "%", note: over),
            Figure(
                "memory of the idle server", after.0.residentMiB, "MiB", note: "shared libraries included"),
            Figure(
                "memory of the idle worker", after.1.residentMiB, "MiB", note: "shared libraries included"),
            Figure(
                "start of a server to its first 200 on /ready, empty database", start, "ms",
                ceiling: (version, "`renga --version`, start to end")),
        ]
    }

    /// The middle one of five, in milliseconds.
    private static func timeOfVersion(_ context: BenchmarkContext) async throws -> Double {
        var times: [Double] = []
        for number in 0..<5 {
            let child = try context.renga(["--version"], log: "version-\(number)")
            try await child.wait(within: .seconds(20))
            times.append((ContinuousClock.now - child.started).milliseconds)
        }
        return Latencies(times).percentile(50)
    }
}
