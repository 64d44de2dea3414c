import Postgres
import System

/// A worker of another queue, on one connection: takes so many and lets go of them, until there are none.
///
/// Answers as `ClaimHelper` does.
struct PeerHelper {
    private let url: String
    private let queue: any PeerQueue.Type
    private let count: Int
    private let clock = SystemClock()

    static let queues: [any PeerQueue.Type] = [PGMQQueue.self, SolidQueue.self]

    init(_ words: [String]) throws {
        guard words.count == 4, let count = Int(words[3]), count > 0,
            let queue = Self.queues.first(where: { $0.word == words[2] })
        else { throw BenchmarkError("a peer wants a database, a queue's name and how many jobs it takes") }
        (url, self.queue, self.count) = (words[1], queue, count)
    }

    func run() throws {
        let connection = try PostgresPlace.openPlain(url)
        Helper.report("ready")
        Helper.waitForWord()
        let cpu = processCPUSeconds()
        let first = clock.uptimeMilliseconds()
        let done = try drain(connection)
        Helper.report(
            done, from: first, to: clock.uptimeMilliseconds(), cpuSeconds: processCPUSeconds() - cpu)
    }

    private func drain(_ connection: Connection) throws -> Claiming.Done {
        var done = Claiming.Done()
        while true {
            let start = ContinuousClock.now
            let jobs = try queue.take(count, connection)
            guard !jobs.isEmpty else { return done }
            let taken = ContinuousClock.now
            try queue.finish(jobs, connection)
            done.jobs += jobs.count
            done.claims.append((taken - start).milliseconds)
            done.settlements.append((ContinuousClock.now - taken).milliseconds)
        }
    }
}
