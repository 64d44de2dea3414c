import HTTPClient
import Jobs
import System
import Telemetry

/// All settings of `up`, `serve` and `work`, read and checked together.
struct ServiceSettings: Sendable {
    var configuration: Configuration
    var database: any Database
    var listen: ListenAddress
    var maxTokens: Int
    var maxAttempts: Int
    var concurrency: Int
    var interactiveConcurrency: Int
    var interactiveWait: Milliseconds
    var interactiveUsesCache: Bool
    var clientRequests: Int?
    var clientConcurrency: Int
    var lease: Milliseconds
    var retry: RetryPolicy
    /// Those that were stated; others stay as they are.
    var budgets: [Budget]
    /// Names of budgets that are taken out of force.
    var removedBudgets: [String]
    /// What the environment says of budgets.
    var budgetStatements: [ConfigurationStatement]
    var adoptsConfiguration: Bool
    var calendarPatience: Milliseconds
    /// What an interactive call reserves of its output limit in budgets; nil for all of it.
    var interactiveReserveTokens: Int?
    var cacheTTL: Milliseconds
    /// But for the services, which the configuration says.
    var halfPrice: HalfPriceTerms
    var retention: Milliseconds
    var timeouts: Timeouts
    var authorities: Authorities
    var shutdownTimeout: Milliseconds
    var corsOrigins: [String]
    /// Besides loopback and where it listens.
    var allowedHosts: [String]
    var logLevel: Log.Level
    /// All of them as they were given or are by default, for clients that ask the server.
    var stated: [(name: String, value: String?)]

    /// Limits of a call, in milliseconds.
    struct Timeouts: Sendable {
        var connect, write, idle, call: Milliseconds
    }

    init(_ invocation: Invocation) throws {
        interactiveUsesCache = try invocation.value(of: Settings.cacheInteractive)
        interactiveWait = try invocation.value(of: Settings.interactiveWait)
        clientRequests = try invocation.optional(Settings.clientRequests)
        clientConcurrency = try invocation.value(of: Settings.clientConcurrency)
        interactiveConcurrency = try invocation.value(of: Settings.interactiveConcurrency)
        configuration = try Self.configuration(invocation)
        let database = try invocation.database(reading: true)
        self.database = database
        listen = try invocation.listenAddress()
        maxTokens = try invocation.value(of: Settings.maxTokens)
        maxAttempts = try invocation.value(of: Settings.maxAttempts)
        concurrency = try invocation.value(of: Settings.concurrency)
        lease = try invocation.value(of: Settings.lease)
        retry = RetryPolicy(
            base: try invocation.value(of: Settings.backoffBase),
            cap: try invocation.value(of: Settings.backoffCap))
        (budgets, removedBudgets, budgetStatements) = try Self.budgets(invocation, configuration)
        adoptsConfiguration = try invocation.value(of: Settings.adoptConfig)
        calendarPatience = try invocation.value(of: Settings.calendarPatience)
        interactiveReserveTokens = try invocation.optional(Settings.interactiveReserveTokens)
        cacheTTL = try invocation.value(of: Settings.cacheTTL)
        halfPrice = HalfPriceTerms()
        halfPrice.linger = try invocation.value(of: Settings.batchLinger)
        halfPrice.poll = try invocation.value(of: Settings.batchPoll)
        halfPrice.deadlineMargin = try invocation.value(of: Settings.batchDeadlineMargin)
        retention = try invocation.value(of: Settings.retention)
        timeouts = Timeouts(
            connect: try invocation.value(of: Settings.connectTimeout),
            write: try invocation.value(of: Settings.writeTimeout),
            idle: try invocation.value(of: Settings.idleTimeout),
            call: try invocation.value(of: Settings.callTimeout))
        authorities = try invocation.authorities()
        shutdownTimeout = try invocation.value(of: Settings.shutdownTimeout)
        corsOrigins = try invocation.optional(Settings.corsOrigins) ?? []
        allowedHosts = try invocation.optional(Settings.allowedHosts) ?? []
        logLevel = try invocation.value(of: Settings.logLevel)
        stated = Settings.ofServices.map { setting in
            let text = invocation.given(setting) ?? setting.standard
            // What programs in other folders read.
            switch setting.name {
            case Settings.database.name: return (setting.name, database.stated)
            case Settings.databaseRead.name: return (setting.name, database.statedStandby)
            case Settings.config.name: return (setting.name, text.map(absolutePath))
            default: return (setting.name, text)
            }
        }
    }

    /// Keeps the jobs in another database than the settings said.
    mutating func use(database other: any Database) {
        database = other
        stated = stated.map { ($0.name, $0.name == Settings.database.name ? other.stated : $0.value) }
    }

    /// The file if one is named, the environment by itself otherwise.
    private static func configuration(_ invocation: Invocation) throws -> Configuration {
        let simple = SimpleSettings(
            baseURL: try invocation.value(of: Settings.baseURL),
            model: invocation.given(Settings.model) == nil ? nil : try invocation.value(of: Settings.model),
            limits: try limits(invocation))
        guard let path = try invocation.optional(Settings.config) else { return Configuration(simple) }
        return try Configuration(file: path, simple)
    }

    /// Those of the file and those of the environment; no budget is stated by both.
    private static func budgets(
        _ invocation: Invocation, _ configuration: Configuration
    ) throws -> ([Budget], removed: [String], [ConfigurationStatement]) {
        var (budgets, removed) = (configuration.budgets, [String]())
        var statements: [ConfigurationStatement] = []
        for (name, window, setting) in [
            ("daily", Budget.Window.day, Settings.dailyBudget),
            ("monthly", Budget.Window.month, Settings.monthlyBudget),
        ] {
            guard let amount = try invocation.optional(setting) else { continue }
            if let file = configuration.source, budgets.contains(where: { $0.name == name }) {
                throw UsageError(
                    "\(setting.name) and \(file) both state the budget “\(name)”: remove it from one of them"
                )
            }
            switch amount {
            case .amount(let limit): budgets.append(Budget(name: name, window: window, limit: limit))
            case .none: removed.append(name)
            }
            let summary = budgets.first { $0.name == name }?.summary ?? "none"
            statements.append(
                ConfigurationStatement(
                    subject: "budgets.\(name)", content: ["budgets.\(name)": summary], source: setting.name))
        }
        return (budgets, removed, statements)
    }

    private static func limits(_ invocation: Invocation) throws -> RouteLimits? {
        let stated = try [
            Settings.requestsPerMinute, Settings.inputTokensPerMinute, Settings.outputTokensPerMinute,
        ]
        .map { try invocation.optional($0) }
        let manners: [any SettingDeclaration] = [Settings.rateWindow, Settings.outputEstimate]
        let window = try invocation.value(of: Settings.rateWindow)
        let burst = window < TokenBucket.minute ? window : nil
        let reservesMaxTokens = try invocation.value(of: Settings.outputEstimate)
        guard
            stated.contains(where: { $0 != nil }) || manners.contains(where: { invocation.given($0) != nil })
        else { return nil }
        return RouteLimits(
            requests: stated[0]?.number, inputTokens: stated[1]?.number, outputTokens: stated[2]?.number,
            burst: burst, reservesMaxTokens: reservesMaxTokens)
    }
}
