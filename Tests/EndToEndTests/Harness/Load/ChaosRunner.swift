import Synchronization
import TestSupport

/// A server and four workers on one database, any of which is killed at random and started again, as a supervisor would.
final class ChaosRunner: Sendable {
    struct Toll {
        var kills = 0
        var ofServer = 0
        /// Attempts that the killed left open, summed up: as many calls may be made again.
        var inFlight = 0
    }

    private static let workers = 4

    let client: Client
    private let scenario: Scenario
    private let simulator: Simulated
    private let settings: [String: String]
    private let state = Mutex(Toll())

    init(_ scenario: Scenario, _ simulator: Simulated) throws {
        let port = try Ports.free()
        self.scenario = scenario
        self.simulator = simulator
        client = Client(url: "http://127.0.0.1:\(port)")
        settings = scenario.variables(
            simulator,
            ["RENGA_LISTEN": "127.0.0.1:\(port)", "RENGA_LEASE": "2s", "RENGA_CONCURRENCY": "20"])
    }

    var toll: Toll { state.withLock { $0 } }

    /// Kills so many times, and leaves all of them running.
    func rage(kills: Int, _ random: inout SeededRandom) async throws {
        var processes = try (0...Self.workers).map(start)
        try await eventually("the first calls are made") { try await simulator.calls() > 0 }
        var next = ContinuousClock.now
        for _ in 0..<kills {
            next = max(next + .milliseconds(Int.random(in: 20...380, using: &random)), ContinuousClock.now)
            try await Task.sleep(until: next)
            let place = Int.random(in: processes.indices, using: &random)
            let victim = processes[place]
            try demand(victim.isRunning, "a process ended by itself")
            await victim.killAndWait()
            // Its leases have just been renewed or soon end: nobody has written them off yet.
            let open = try await scenario.record.openAttempts(ofProcess: victim.pid)
            state.withLock { toll in
                toll.kills += 1
                toll.inFlight += open
                if place == 0 { toll.ofServer += 1 }
            }
            processes[place] = try start(place)
        }
    }

    /// Brings so many jobs, no faster than the kills go on, so that there is work to the last; returns their ids.
    func deliver(_ jobs: Int, during kills: Int) async throws -> [String] {
        var ids: [String] = []
        while ids.count < jobs {
            let first = ids.count
            let portion = min(100, jobs - first)
            let prompts = (first..<first + portion).map { "Say the number \($0)." }
            ids += try await client.upload(Array(prompts.dropLast()), key: "bulk-\(first)")
            ids.append(try await client.enqueue(prompts[portion - 1], key: "job-\(first)"))
            // A fifth stands ready at the start.
            let due = (ids.count - jobs / 5) * kills / jobs
            while toll.kills < due { try await Task.sleep(for: .milliseconds(10)) }
        }
        return ids
    }

    private func start(_ place: Int) throws -> Child {
        try scenario.start([place == 0 ? "serve" : "work"], settings)
    }
}
