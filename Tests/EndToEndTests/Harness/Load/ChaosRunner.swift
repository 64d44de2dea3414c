import Synchronization
import TestSupport

/// Servers and four workers on one database, any of which is killed at random and started again, as a supervisor would.
final class ChaosRunner: Sendable {
    struct Toll {
        var kills = 0
        var ofServers = 0
        /// Attempts that the killed left open, summed up: as many calls may be made again.
        var inFlight = 0
        /// Processes that ended by themselves.
        var ended = 0
    }

    private struct State {
        var toll = Toll()
        /// The servers first.
        var processes: [Child] = []
    }

    private static let workers = 4

    let clients: [Client]
    private let scenario: Scenario
    private let simulator: Simulated
    private let settings: [[String: String]]
    private let mayEnd: Bool
    private let state = Mutex(State())

    /// With `mayEnd` a process may end by itself, as one that is started while there is no database does.
    init(
        _ scenario: Scenario, _ simulator: Simulated, servers: Int = 1, lease: String = "2s",
        mayEnd: Bool = false
    ) throws {
        self.scenario = scenario
        self.simulator = simulator
        self.mayEnd = mayEnd
        let ports = try (0..<servers).map { _ in try Ports.free() }
        clients = ports.map { Client(url: "http://127.0.0.1:\($0)") }
        settings = ports.map { port in
            scenario.variables(
                simulator,
                ["RENGA_LISTEN": "127.0.0.1:\(port)", "RENGA_LEASE": lease, "RENGA_CONCURRENCY": "20"])
        }
    }

    var toll: Toll { state.withLock { $0.toll } }

    /// Kills so many times, and leaves all of them running; what else is done to them is done between two kills.
    func rage(
        kills: Int, _ random: inout SeededRandom,
        between: (inout SeededRandom) async throws -> Void = { _ in }
    ) async throws {
        let processes = try (0..<clients.count + Self.workers).map(start)
        state.withLock { $0.processes = processes }
        try await eventually("the first calls are made") { try await simulator.calls() > 0 }
        var next = ContinuousClock.now
        for _ in 0..<kills {
            next = max(next + .milliseconds(Int.random(in: 20...380, using: &random)), ContinuousClock.now)
            try await Task.sleep(until: next)
            try await kill(Int.random(in: processes.indices, using: &random))
            try await between(&random)
        }
    }

    private func kill(_ place: Int) async throws {
        try restartEnded()
        let victim = state.withLock { $0.processes[place] }
        await victim.killAndWait()
        // Its leases have just been renewed or soon end: nobody has written them off yet.
        let open = try await scenario.record.openAttempts(ofProcess: victim.pid)
        let next = try start(place)
        state.withLock { state in
            state.toll.kills += 1
            state.toll.inFlight += open
            if place < clients.count { state.toll.ofServers += 1 }
            state.processes[place] = next
        }
    }

    func restartEnded() throws {
        let processes = state.withLock { $0.processes }
        for (place, process) in processes.enumerated() where !process.isRunning {
            try demand(mayEnd, "a process ended by itself")
            let next = try start(place)
            state.withLock { state in
                state.toll.ended += 1
                state.processes[place] = next
            }
        }
    }

    /// Brings so many jobs, no faster than the kills go on, so that there is work to the last; returns their ids.
    func deliver(_ jobs: Int, during kills: Int) async throws -> [String] {
        var ids: [String] = []
        while ids.count < jobs {
            let first = ids.count
            let portion = min(100, jobs - first)
            let client = clients[first / 100 % clients.count]
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
        let isServer = place < clients.count
        return try scenario.start([isServer ? "serve" : "work"], settings[isServer ? place : 0])
    }
}
