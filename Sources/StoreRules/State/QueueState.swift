package import Jobs

/// A queue as one decision sees and changes it.
package struct QueueState: Sendable {
    package let id: Int64
    package let name: String
    package let paused: Bool
    package let concurrency: Int?
    package let weight: Int
    /// Attempts open in the queue.
    package var running: Int
    /// Its place in the order of the fair scheduler.
    package var pass: Double
    /// Runs of identical refusals, by route.
    package var streaks = RefusalStreaks()

    package init(
        id: Int64, name: String, paused: Bool, concurrency: Int?, weight: Int, running: Int, pass: Double
    ) {
        self.id = id
        self.name = name
        self.paused = paused
        self.concurrency = concurrency
        self.weight = weight
        self.running = running
        self.pass = pass
    }

    /// What a route's admission asks of the queue.
    package func line(on route: Int64) -> RouteLedger.Queue {
        guard let streak = streaks[route] else { return RouteLedger.Queue(running: running) }
        return RouteLedger.Queue(running: streaks.running(on: route), refusedInARow: streak.inARow)
    }

    /// The same for jobs that somebody waits for: each of their callers hears of its refusal by itself.
    package var withoutStreaks: QueueState {
        var queue = self
        queue.streaks = RefusalStreaks()
        return queue
    }
}
