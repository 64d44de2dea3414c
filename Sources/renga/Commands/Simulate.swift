import Simulator
import System
import Telemetry

extension Command {
    /// Where it listens unless told otherwise: not where `serve` does.
    private static let simulatorAddress = "127.0.0.1:8090"

    static let simulate = Command(
        name: "simulate", summary: "a fake Anthropic API for trials, tests and load",
        flags: SimulatorSettings.options.map { option in
            Flag(
                option.name, "VALUE",
                option.default.isEmpty ? option.help : "\(option.help) (\(option.default))")
        },
        settings: [Settings.listen, Settings.port, Settings.shutdownTimeout, Settings.logLevel],
        details: """
            Takes any key, and needs none on any address. Point renga at it with
            ANTHROPIC_BASE_URL=http://\(simulatorAddress) ANTHROPIC_API_KEY=simulated. It speaks OpenAI's chat
            completions too, at http://\(simulatorAddress)/v1, and has message batches, whose times run by the calendar.

            While it runs: GET /_sim/stats and /_sim/journal tell what was called and paid, POST /_sim/settings changes
            options by their names ({"batch-faults":"create=drop-after:#1"}), POST /_sim/reset starts anew. What prompts
            can ask for, and how batches behave: docs/simulator.md.
            """,
        examples: [
            "renga simulate --latency 600ms",
            "ANTHROPIC_BASE_URL=http://\(simulatorAddress) ANTHROPIC_API_KEY=simulated renga up",
        ],
        standards: [Settings.listen.name: simulatorAddress]
    ) { invocation in
        var options: [String: String] = [:]
        for option in SimulatorSettings.options { options[option.name] = invocation[option.name] }
        let settings: SimulatorSettings
        do {
            settings = try SimulatorSettings(options: options)
        } catch {
            throw UsageError("--\(error)")
        }
        let log = Log.standard(try invocation.value(of: Settings.logLevel))
        let address = try invocation.listenAddress(standard: simulatorAddress)
        let grace = try invocation.value(of: Settings.shutdownTimeout)
        try ProcessLimits.checkFiles()
        let simulator = Simulator(settings: settings, clock: SystemNow().forSimulator, log: log)
        let listening = try ListeningServer(
            address, handler: simulator, grace: grace, connections: ListeningServer.providerConnections)
        log.info("simulator listens", ["url": "\(listening.url)", "version": "\(Version.current)"])
        try await ServiceGroup(log: log).run([listening.service])
        return .done
    }
}
