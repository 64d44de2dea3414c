import System

/// What Ctrl-C does to a command that sends or watches jobs: it ends the command, not the jobs, and says how these end.
struct Stopping {
    private let batch: String

    init(batch: String) {
        self.batch = batch
        let command = command
        let signals = Signals.stream(Signals.interrupts)
        Task.detached {
            guard await signals.first(where: { _ in true }) != nil else { return }
            Console.note(
                "\nStopped here; jobs that were sent go on, and are paid for. To stop them:\n  \(command)")
            exitProcess(130)
        }
    }

    var words: String {
        "Jobs keep running if you press Ctrl-C. To stop them, and what they cost:\n  \(command)"
    }

    private var command: String { "renga cancel --batch \(Shell.quoted(batch))" }
}
