import Simulator
import System
import Telemetry

extension Command {
    /// Where it listens by default: not where `serve` does.
    private static let simulatorAddress = "127.0.0.1:8090"

    static let simulate = Command(
        name: "simulate", summary: "run a fake Anthropic API for trials, tests and load",
        flags: SimulatorSettings.options.map { option in
            Flag(
                option.name, "VALUE",
                option.default.isEmpty ? option.help : "\(option.help) (\(option.default))")
        },
        settings: [Settings.listen, Settings.port, Settings.shutdownTimeout, Settings.logLevel],
        details: """
            It accepts any key, but wants one, as the real API does. Point renga at it with ANTHROPIC_BASE_URL=http://\(simulatorAddress)
            ANTHROPIC_API_KEY=simulated. It also speaks OpenAI's chat completions, at http://\(simulatorAddress)/v1,
            and has message batches, whose times use the calendar clock.

            While it runs, GET /_sim/stats and /_sim/journal show what was called and paid, POST /_sim/settings changes
            options by name ({"batch-faults":"create=drop-after:#1"}), and POST /_sim/reset starts again. The page
            docs/simulator.md says what prompts can ask for and how batches behave.
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
        let shutdownTimeout = try invocation.value(of: Settings.shutdownTimeout)
        try ProcessLimits.checkFiles()
        let simulator = Simulator(settings: settings, clock: SystemNow().forSimulator, log: log)
        let listening = try ListeningServer(
            address, handler: simulator, grace: shutdownTimeout,
            connections: ListeningServer.providerConnections)
        log.info("simulator listens", ["url": "\(listening.url)", "version": "\(Version.current)"])
        try await ServiceGroup(log: log).run([listening.service])
        return .done
    }
}
