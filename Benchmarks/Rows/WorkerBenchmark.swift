import HTTPClient

/// Whole jobs as fast as one worker can: claim, a real HTTP call, settlement on disk; the upstream answers at once.
enum WorkerBenchmark: Benchmark {
    static let name = "work"
    static let summary = "a backlog through one worker, upstream without delay"
    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let calls = try await bareCalls(context)
        let few = try await outcome(context, slots: 64)
        let many = try await outcome(context, slots: 256)
        return [
            figure(few, slots: 64, calls),
            figure(many, slots: 256, calls),
            Figure(
                "memory of the worker after this", many.worker.residentMiB, "MiB",
                note: "at most \(Table.number(many.worker.peakMiB)) MiB"),
            Figure(
                "database beyond the bodies, for each finished job", many.finished.overheadBytes, "bytes",
                note: "rows, indexes, history of attempts"),
        ]
    }

    private static func outcome(_ context: BenchmarkContext, slots: Int) async throws -> EndToEnd.Outcome {
        try await EndToEnd(context: context, jobs: context.sizes.backlog, slots: slots, latency: "0")
            .run(name: "work-\(slots)")
    }

    private static func figure(_ outcome: EndToEnd.Outcome, slots: Int, _ calls: Double) -> Figure {
        let jobs = Double(outcome.finished.jobs)
        return Figure(
            "jobs end to end, one worker with \(slots) slots, backlog of \(Table.number(jobs))",
            jobs / outcome.finished.seconds, "jobs/s",
            ceiling: (calls, "64 callers to the same simulator, no queue"), note: outcome.processorTime)
    }

    private static func bareCalls(_ context: BenchmarkContext) async throws -> Double {
        let simulator = try await context.simulator(latency: "0")
        let result = try await Load(seconds: context.sizes.load / 2, expecting: 200).run { number in
            HTTPRequest(
                url: simulator.url + "/v1/messages",
                headers: [
                    ("x-api-key", "none-needed"), ("anthropic-version", "2023-06-01"),
                    ("content-type", "application/json"),
                ],
                body: Sample.request(number), mayRepeat: false)
        }
        await simulator.child.stop()
        return result.rate
    }
}
