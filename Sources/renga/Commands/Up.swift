import Jobs
import Models
import Simulator
import Telemetry

extension Command {
    static let up = Command(
        name: "up", summary: "run the server and a worker in one process", settings: Settings.ofServices,
        secrets: [.providerKey, .apiKey],
        details: """
            Without ANTHROPIC_API_KEY a built-in simulator answers, and nothing is paid for. Its jobs are marked
            "simulated":true and kept in a database of their own, ./renga-demo.db, or in the one that --database names.
            """
    ) { invocation in
        var settings = try ServiceSettings(invocation)
        try ProcessLimits.check(for: settings.database)
        let log = Log.standard(settings.logLevel)
        let simulator = try Demo.simulator(invocation, &settings, log)
        let providers =
            try simulator.map { .simulated(settings.configuration, at: $0.url) }
            ?? Providers.real(settings.configuration, invocation)
        let key = try ClientKey.require(invocation, listen: settings.listen, log: log)
        let base = try await ServiceContext(settings, invocation, command: "up", log: log)
        try await base.state(providers)
        let api = try base.api(key: key, for: providers)
        let greeting = Greeting(
            address: api.address, url: api.url, database: settings.database.name,
            isSimulated: simulator != nil, header: ClientKey.shellHeader(invocation, key))
        // If standard output has no reader, the log says the same.
        try? Console.print(greeting.text)
        try await base.run(
            [api.service, base.worker(for: providers).service] + (simulator.map { [$0.service] } ?? []))
        return .done
    }
}

/// What `up` does without a provider's key.
enum Demo {
    /// The simulator, listening on a free port of loopback; nil if a key is set, or a configuration file says who
    /// answers.
    static func simulator(
        _ invocation: Invocation, _ settings: inout ServiceSettings, _ log: Log
    ) throws -> ListeningServer? {
        guard settings.configuration.source == nil, try invocation.secret(.providerKey) == nil else {
            return nil
        }
        if let url = invocation.given(Settings.baseURL) {
            throw UsageError(
                "ANTHROPIC_BASE_URL is “\(url)”, but ANTHROPIC_API_KEY is not set; set both, or neither for the simulator"
            )
        }
        settings.configuration = settings.configuration.simulated()
        if !invocation.isFlagged(Settings.database) {
            settings.use(database: try settings.database.forTrial())
        }
        guard let address = ListenAddress("127.0.0.1:0") else { preconditionFailure("a literal address") }
        let simulator = Simulator(clock: SystemNow().forSimulator, log: log.with(["part": "simulator"]))
        return try ListeningServer(
            address, handler: simulator, grace: settings.shutdownTimeout,
            connections: ListeningServer.providerConnections)
    }
}

/// The first words of `up`.
struct Greeting {
    /// Where it listens, and where this machine reaches it.
    var address: String
    var url: String
    var database: String
    var isSimulated: Bool
    /// As a shell writes it; nil if no key is asked for.
    var header: String?

    private var place: String { url == "http://\(address)" ? url : "\(address) (from here \(url))" }

    var text: String {
        let key = header.map { " -H \"\($0)\"" } ?? ""
        let simulated =
            isSimulated
            ? """
            ANTHROPIC_API_KEY is not set: a built-in simulator answers, nothing is paid for, and jobs are marked
            "simulated":true.

            """ : ""
        return """
            renga \(Version.current) listens on \(place) and keeps its jobs in \(database)
            \(simulated)
            Try it:  curl -s '\(url)/v1/jobs?wait=30'\(key) -d '{"prompt":"Name three rivers in Europe."}'

            """
    }
}
