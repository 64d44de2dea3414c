import System

extension Children {
    /// A benchmark that is broken off leaves nothing running.
    func endWithThisProcess() {
        let signals = Signals.stream(Signals.endings)
        Task {
            for await _ in signals {
                endAll()
                exitProcess(1)
            }
        }
    }
}
