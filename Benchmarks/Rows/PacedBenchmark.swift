/// How well slots are kept full when each call takes 200 ms.
enum PacedBenchmark: Benchmark {
    static let name = "paced"
    static let summary = "backlogs through one worker, 256 slots and 200 ms, 4,000 slots and 2 s"
    private static let slots = 256
    /// Stated in each answer, as the provider does: while no limit is known, renga feels its way from five calls on.
    private static let limit = 60_000_000
    /// From them the limit is known when the measuring begins, as it is after any use of renga.
    private static let earlier = 10

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let outcome = try await EndToEnd(
            context: context, jobs: context.sizes.paced, slots: slots, latency: "200ms",
            requestsPerMinute: limit, earlier: earlier
        ).run(name: "paced")
        let finished = outcome.finished
        let many = try await EndToEnd(
            context: context, jobs: context.sizes.inFlight * 10, slots: context.sizes.inFlight, latency: "2s",
            requestsPerMinute: limit, earlier: earlier
        ).run(name: "in-flight")
        return [
            Figure(
                "jobs end to end, one worker with \(slots) slots, upstream of 200 ms",
                Double(finished.jobs) / finished.seconds, "jobs/s",
                ceiling: (Double(slots) / 0.2, "256 slots ÷ 200 ms"),
                note: "the limit known; the first and the last calls included; \(outcome.processorTime)"),
            Figure("memory of the worker after this", outcome.worker.residentMiB, "MiB"),
            Figure(
                "jobs end to end, one worker with \(Table.number(Double(context.sizes.inFlight))) slots, upstream of 2 s",
                Double(many.finished.jobs) / many.finished.seconds, "jobs/s",
                ceiling: (Double(context.sizes.inFlight) / 2, "slots ÷ 2 s"),
                note:
                    "ten calls to a slot; the limit known; the first and the last calls included; \(many.processorTime)"
            ),
            Figure("the most memory that the worker had meanwhile", many.worker.peakMiB, "MiB"),
        ]
    }
}
