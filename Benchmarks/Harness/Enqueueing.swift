import Jobs
import Synchronization

/// Jobs into a store; each way returns jobs a second.
enum Enqueueing {
    /// One call after the other, 500 jobs each.
    static func bulk(_ store: any WholeStore, _ jobs: [NewJob]) async throws -> Double {
        let seconds = try await seconds {
            for start in stride(from: 0, to: jobs.count, by: 500) {
                let end = min(jobs.count, start + 500)
                _ = try await store.enqueue(Array(jobs[start..<end]), atomically: false)
            }
        }
        return Double(jobs.count) / seconds
    }

    /// One job a call, by 64 callers.
    static func single(_ store: any WholeStore, _ jobs: [NewJob]) async throws -> Double {
        let next = Counter()
        let seconds = try await seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        while let number = next.take(below: jobs.count) {
                            _ = try await store.enqueue([jobs[number]], atomically: true)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        return Double(jobs.count) / seconds
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
