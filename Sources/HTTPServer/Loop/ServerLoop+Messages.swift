import System

/// What other threads have left in the mailbox.
extension ServerLoop {
    /// After so many messages at once the sockets get their turn.
    private static let messagesAtOnce = 1000

    /// Runs the tasks that wait, and what that brings about; all else is kept for `attend`.
    ///
    /// What the closure begins is begun at once.
    func runTasks(after body: () -> Void = {}) {
        mailbox.stayAwake()
        body()
        var left = Self.messagesAtOnce
        while left > 0 {
            guard let messages = mailbox.takeAll(), !messages.isEmpty else { return }
            for message in messages {
                switch message {
                case .wake(let id): toWake.append(id)
                case .job(let job): job.runSynchronously(on: executor.asUnownedTaskExecutor())
                case .stop(let stopped): stops.append(stopped)
                }
            }
            left -= messages.count
        }
        mailbox.yield()
    }

    /// Not while MHD runs: it must first have suspended what is to be woken.
    func attend() {
        for id in toWake { wake(id) }
        toWake.removeAll(keepingCapacity: true)
        if !stops.isEmpty, !isStopping { beginStop() }
    }
}
