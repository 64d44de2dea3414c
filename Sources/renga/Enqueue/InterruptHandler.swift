import System

/// What Ctrl-C does to a command that sends or watches jobs: it ends the command, not the jobs, and prints the command that cancels these.
struct InterruptHandler {
    private let batch: String

    init(batch: String) {
        self.batch = batch
        let command = command
        let signals = Signals.stream(Signals.interrupts)
        Task.detached {
            guard await signals.first(where: { _ in true }) != nil else { return }
            Console.note(
                "\nStopped. Jobs that were sent keep running, and are paid for. To stop them:\n  \(command)")
            exitProcess(130)
        }
    }

    var text: String {
        "Jobs keep running if you press Ctrl-C. To stop them:\n  \(command)"
    }

    private var command: String { "renga cancel --batch \(Shell.quoted(batch))" }
}
