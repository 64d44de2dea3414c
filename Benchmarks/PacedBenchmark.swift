/// How well slots are kept full when each call takes 200 ms.
enum PacedBenchmark: Benchmark {
    static let name = "paced"
    static let summary = "a backlog through one worker with 256 slots, upstream of 200 ms"
    private static let slots = 256

    static func run(_ bench: Bench) async throws -> [Figure] {
        let outcome = try await EndToEnd(
            bench: bench, jobs: bench.sizes.paced, slots: slots, latency: "200ms"
        ).run(name: "paced")
        let finished = outcome.finished
        return [
            Figure(
                "jobs end to end, one worker with \(slots) slots, upstream of 200 ms",
                Double(finished.jobs) / finished.seconds, "jobs/s",
                ceiling: (Double(slots) / 0.2, "256 slots ÷ 200 ms"),
                note: "the careful first calls and the last ones included; \(outcome.processorTime)"),
            Figure("memory of the worker after this", outcome.worker.residentMiB, "MiB"),
        ]
    }
}
