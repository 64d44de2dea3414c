import Dispatch

/// Runs the tasks of brief answers on the server's thread, so that what another thread brings them goes straight on to the
/// socket.
final class LoopExecutor: TaskExecutor {
    private let mailbox: Mailbox

    /// After so many jobs at once the sockets get their turn.
    private static let atOnce = 1000

    init(_ mailbox: Mailbox) {
        self.mailbox = mailbox
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard !mailbox.post(job) else { return }
        // The server has stopped, and what its tasks still do is theirs alone.
        DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Runs what waits, and what that brings about; only for the server's thread.
    ///
    /// What the closure begins is begun at once.
    func run(after body: () -> Void = {}) {
        mailbox.beginJobs()
        body()
        var left = Self.atOnce
        while left > 0 {
            let jobs = mailbox.takeJobs()
            if jobs.isEmpty { return }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            left -= jobs.count
        }
        mailbox.endJobs()
    }
}
