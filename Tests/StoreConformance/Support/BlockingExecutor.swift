import Dispatch
import Synchronization

/// A thread for tasks that block: opening a store and auditing its rows must not hold up other modules' tests.
final class BlockingExecutor: TaskExecutor {
    private static let all = (0..<3).map { BlockingExecutor(number: $0) }
    private static let turn = Atomic<Int>(0)

    /// One of a few, each in its turn.
    static func next() -> BlockingExecutor {
        all[turn.wrappingAdd(1, ordering: .relaxed).oldValue % all.count]
    }

    private let queue: DispatchQueue

    private init(number: Int) {
        queue = DispatchQueue(label: "store-tests-\(number)")
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
