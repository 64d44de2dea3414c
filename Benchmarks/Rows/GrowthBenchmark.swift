import JSON
import JobStoreSQLite
import Jobs

/// How cost grows: the same work with more of one thing at a time.
enum GrowthBenchmark: Benchmark {
    static let name = "growth"
    static let summary = "rates by backlog, by payload, by processes and by slots"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        try await byBacklog(context) + byPayload(context) + byProcesses(context) + bySlots(context)
    }

    private static func byBacklog(_ context: BenchmarkContext) async throws -> [Figure] {
        var figures: [Figure] = []
        for backlog in [1_000, 10_000, 100_000, 1_000_000] where backlog <= context.sizes.bystanders {
            let store = try await SQLiteJobStore(
                path: context.database("backlog-\(backlog)"), clock: MachineClock())
            try await context.fill(store, backlog + 4_000, for: Sample.service())
            let rate = try await Claiming(store).rate(of: 4_000)
            await store.close()
            figures.append(
                Figure(
                    "claim and settle, backlog of \(Table.number(Double(backlog)))", rate, "jobs/s",
                    ceiling: figures.first.map { ($0.value, "backlog of 1,000") }))
        }
        return figures
    }

    private static func byPayload(_ context: BenchmarkContext) async throws -> [Figure] {
        var figures: [Figure] = []
        for (bytes, count) in [(200, 8_000), (2_000, 8_000), (20_000, 4_000), (200_000, 1_000)] {
            let store = try await SQLiteJobStore(
                path: context.database("payload-\(bytes)"), clock: MachineClock())
            let jobs = try (0..<count).map { try job($0, bytes: bytes) }
            let enqueue = try await seconds {
                for start in stride(from: 0, to: count, by: 100) {
                    _ = try await store.enqueue(Array(jobs[start..<(start + 100)]), atomically: false)
                }
            }
            let rate = try await Claiming(store).rate(of: count)
            await store.close()
            let size = "\(Table.number(Double(bytes) / 1000)) KB"
            figures.append(
                Figure("enqueue 100 a call, prompts of \(size)", Double(count) / enqueue, "jobs/s"))
            figures.append(Figure("claim and settle, prompts of \(size)", rate, "jobs/s"))
        }
        return figures
    }

    private static func job(_ number: Int, bytes: Int) throws -> NewJob {
        let text = "\(number) " + String(repeating: "word ", count: bytes / 5)
        let request = Array(
            #"{"model":"\#(Sample.model)","max_tokens":64,"messages":[{"role":"user","content":"\#(text)"}]}"#
                .utf8)
        return NewJob(
            queue: "bench", request: request,
            route: RouteKey(service: Sample.service(), model: Sample.model), maxTokens: 64,
            promptHash: PromptHash(request: try JSON.parse(request)), fingerprint: Array(text.utf8.prefix(32))
        )
    }

    private static func byProcesses(_ context: BenchmarkContext) async throws -> [Figure] {
        var figures: [Figure] = []
        for processes in [1, 2, 4, 8, 16] {
            let outcome = try await ClaimBenchmark.rate(context, processes: processes, context.sizes.jobs / 4)
            figures.append(
                Figure(
                    "claim and settle, \(processes) processes", outcome.rate, "jobs/s",
                    ceiling: figures.first.map { ($0.value, "1 process") },
                    note:
                        "\(outcome.processorTime), a bystander waited at most \(Table.number(outcome.worstWait)) ms"
                ))
        }
        return figures
    }

    private static func bySlots(_ context: BenchmarkContext) async throws -> [Figure] {
        var figures: [Figure] = []
        for slots in [1, 4, 16, 64, 256, 1_024, 4_096] {
            let outcome = try await EndToEnd(
                context: context, jobs: min(context.sizes.backlog / 4, 2_000 * slots), slots: slots,
                latency: "0",
                requestsPerMinute: 60_000_000
            ).run(name: "slots-\(slots)")
            figures.append(
                Figure(
                    "jobs end to end, \(Table.number(Double(slots))) slots, upstream without delay",
                    Double(outcome.finished.jobs) / outcome.finished.seconds, "jobs/s",
                    note: "the worker had at most \(Table.number(outcome.worker.peakMiB)) MiB"))
        }
        return figures
    }
}
