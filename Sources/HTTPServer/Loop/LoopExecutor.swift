import Dispatch
import Synchronization
import System

/// Runs the tasks of brief answers on the server's thread, so that what another thread brings them goes straight on to the
/// socket.
final class LoopExecutor: TaskExecutor {
    private let mailbox: Mailbox<LoopMessage>
    private let running = Atomic(0)

    init(_ mailbox: Mailbox<LoopMessage>) {
        self.mailbox = mailbox
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard mailbox.post(.job(job)) != nil else { return }
        // The server has stopped, and what its tasks still do is theirs alone.
        DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Handler tasks that have not ended, on whichever thread they run.
    var runningTasks: Int { running.load(ordering: .acquiring) }

    func taskStarts() {
        running.add(1, ordering: .relaxed)
    }

    func taskEnds() {
        running.subtract(1, ordering: .releasing)
    }
}
