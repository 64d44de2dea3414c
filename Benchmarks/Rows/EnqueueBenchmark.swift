import JobStoreSQLite
import Jobs
import Synchronization

/// Taking jobs in, without HTTP: what the store makes of what SQLite can do.
enum EnqueueBenchmark: Benchmark {
    static let name = "enqueue"
    static let summary = "jobs into the store of one process"

    static func run(_ context: BenchmarkContext) async throws -> [Figure] {
        let count = context.sizes.jobs
        let bare = try BareStore(path: context.database("bare-enqueue"), request: Sample.request(count))
        let bareBulk = try bare.enqueue(count, perTransaction: 500)
        let bareGroup = try bare.enqueue(count, perTransaction: 64)
        let bareSingle = try bare.enqueue(min(count, 10_000), perTransaction: 1)
        let bulk = try await bulk(context, count)
        let single = try await single(context, count)
        return [
            Figure(
                "enqueue through the store, 500 a call", bulk, "jobs/s",
                ceiling: (bareBulk, "plain SQLite loop, same settings and row sizes, 500 a transaction")),
            Figure(
                "enqueue through the store, one a call, 64 callers", single, "jobs/s",
                ceiling: (bareGroup, "the same loop, 64 a transaction"),
                note: "the loop with one a transaction: \(Table.number(bareSingle)) jobs/s"),
        ]
    }

    private static func bulk(_ context: BenchmarkContext, _ count: Int) async throws -> Double {
        let store = try await SQLiteJobStore(path: context.database("enqueue-bulk"), clock: MachineClock())
        let jobs = try Sample.jobs(0..<count, for: Sample.service())
        let seconds = try await seconds {
            for start in stride(from: 0, to: count, by: 500) {
                let end = min(count, start + 500)
                _ = try await store.enqueue(Array(jobs[start..<end]), atomically: false)
            }
        }
        await store.close()
        return Double(count) / seconds
    }

    private static func single(_ context: BenchmarkContext, _ count: Int) async throws -> Double {
        let store = try await SQLiteJobStore(path: context.database("enqueue-single"), clock: MachineClock())
        let jobs = try Sample.jobs(0..<count, for: Sample.service())
        let next = Counter()
        let seconds = try await seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        while let number = next.take(below: count) {
                            _ = try await store.enqueue([jobs[number]], atomically: true)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        await store.close()
        return Double(count) / seconds
    }
}

/// Hands out numbers to tasks that run side by side.
private final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func take(below limit: Int) -> Int? {
        let number = value.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < limit ? number : nil
    }
}
