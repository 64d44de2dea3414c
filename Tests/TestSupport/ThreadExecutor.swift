import Dispatch
import System

/// Runs a task, and the child tasks that it starts, on one thread of its own, until it is ended.
final class ThreadExecutor: TaskExecutor {
    private let mailbox: Mailbox<UnownedJob>

    init() throws(SystemError) {
        mailbox = try Mailbox(.semaphore)
        _ = try Thread(named: "test") { [self] in
            while let jobs = mailbox.take(atMost: .max) {
                for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard mailbox.post(job) != nil else { return }
        // Its task has outlived the body that it belongs to.
        DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    func end() { mailbox.close() }
}
