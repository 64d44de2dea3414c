import CrashPoint
import Glibc

/// A server and a worker, one of which dies once and is started again, as a supervisor would.
struct Deployment {
    let scenario: Scenario
    let death: Death
    let client: Client
    private let settings: [String: String]

    init(_ scenario: Scenario, _ simulator: Simulated, _ death: Death) throws {
        let port = try Ports.free()
        self.scenario = scenario
        self.death = death
        client = Client(url: "http://127.0.0.1:\(port)")
        settings = scenario.variables(
            simulator,
            [
                "RENGA_LISTEN": "127.0.0.1:\(port)", "RENGA_LEASE": "1s",
                "RENGA_DAILY_BUDGET_USD": "1000",
            ])
    }

    /// Starts both and returns when the one that is to die has died and lives again; callers must put up with it.
    func run() async throws {
        let victim = try scenario.start([isOfServer ? "serve" : "work"], fatal)
        let other = try scenario.start([isOfServer ? "work" : "serve"], settings)
        try await expectDeath(of: victim)
        try demand(other.isRunning, "the other process ended too")
        _ = try scenario.start([isOfServer ? "serve" : "work"], settings)
        try await eventually("the server is ready") {
            (try? await client.call("GET", "/ready").status) == 200
        }
    }

    /// Starts both, to live.
    func runUnharmed() throws {
        for command in ["serve", "work"] { _ = try scenario.start([command], settings) }
    }

    /// Runs a command that dies, then once more to its end.
    func dieAndRepeat(_ arguments: [String]) async throws {
        try await expectDeath(of: try scenario.start(arguments, fatal))
        let again = try await scenario.finish(arguments, settings)
        try demand(again.status == .status(0), "\(arguments[0]), repeated: \(again.status) \(again.errors)")
    }

    private var isOfServer: Bool { death.victim == .server }

    private var fatal: [String: String] {
        var settings = settings
        settings["RENGA_CRASH_AT"] = "\(death.point.rawValue):\(death.count)"
        if death.prunes { settings["RENGA_RETENTION"] = "1s" }
        return settings
    }

    /// What it leaves behind must already be right, before anybody mends it.
    private func expectDeath(of victim: Child) async throws {
        let exit = await victim.exit(within: .seconds(30))
        try demand(
            exit == .signal(SIGKILL),
            "\(death.point.rawValue) was not passed \(death.count) times: \(exit?.description ?? "it lives")")
        // Where it died before the first migration there are no tables to audit.
        guard try await scenario.record.schemaVersion() > 0 else { return }
        try await scenario.books.check(isPruned: death.prunes)
    }
}
