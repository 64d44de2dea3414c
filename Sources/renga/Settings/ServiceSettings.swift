import Jobs
import Telemetry

/// All settings of `up`, `serve` and `work`, read and checked together.
struct ServiceSettings: Sendable {
    var configuration: Configuration
    var database: String
    var listen: ListenAddress
    var maxTokens: Int
    var maxAttempts: Int
    var concurrency: Int
    var lease: Milliseconds
    var retry: RetryPolicy
    var cacheTTL: Milliseconds
    var retention: Milliseconds
    var timeouts: Timeouts
    var grace: Milliseconds
    var corsOrigins: [String]
    var logLevel: Log.Level

    /// Limits of a call, in milliseconds.
    struct Timeouts: Sendable {
        var connect, write, idle, call: Milliseconds
    }

    init(_ invocation: Invocation) throws {
        try Self.refuseUnknownPromises(invocation)
        configuration = try Self.configuration(invocation)
        try Self.refuseUnkeptBudgets(configuration)
        database = try invocation.value(of: Settings.database)
        listen = try invocation.listenAddress()
        maxTokens = try invocation.value(of: Settings.maxTokens)
        maxAttempts = try invocation.value(of: Settings.maxAttempts)
        concurrency = try invocation.value(of: Settings.concurrency)
        lease = try invocation.value(of: Settings.lease)
        retry = RetryPolicy(
            base: try invocation.value(of: Settings.backoffBase),
            cap: try invocation.value(of: Settings.backoffCap))
        cacheTTL = try invocation.value(of: Settings.cacheTTL)
        retention = try invocation.value(of: Settings.retention)
        timeouts = Timeouts(
            connect: try invocation.value(of: Settings.connectTimeout),
            write: try invocation.value(of: Settings.writeTimeout),
            idle: try invocation.value(of: Settings.idleTimeout),
            call: try invocation.value(of: Settings.callTimeout))
        grace = try invocation.value(of: Settings.grace)
        corsOrigins = try invocation.optional(Settings.corsOrigins) ?? []
        logLevel = try invocation.value(of: Settings.logLevel)
    }

    /// A budget that nobody keeps is worse than none: what is not built yet stops the start.
    private static func refuseUnknownPromises(_ invocation: Invocation) throws {
        _ = try invocation.value(of: Settings.cacheInteractive)
        _ = try (invocation.optional(Settings.dailyBudget), invocation.optional(Settings.monthlyBudget))
        let unbuilt: [any SettingDeclaration] = [
            Settings.dailyBudget, Settings.monthlyBudget,
        ]
        for setting in unbuilt where invocation.given(setting) != nil {
            throw UsageError(
                "\(setting.name) is set, but this version (\(Version.current)) cannot keep it yet; unset it")
        }
    }

    private static func refuseUnkeptBudgets(_ configuration: Configuration) throws {
        guard configuration.budgets.isEmpty else {
            throw UsageError(
                "RENGA_CONFIG has budgets, but this version (\(Version.current)) cannot keep them yet; take them out"
            )
        }
    }

    /// The file where one is named, the environment by itself otherwise.
    private static func configuration(_ invocation: Invocation) throws -> Configuration {
        let simple = SimpleSettings(
            baseURL: try invocation.value(of: Settings.baseURL),
            model: invocation.given(Settings.model) == nil ? nil : try invocation.value(of: Settings.model),
            limits: try limits(invocation))
        guard let path = try invocation.optional(Settings.config) else { return Configuration(simple) }
        return try Configuration(file: path, simple)
    }

    private static func limits(_ invocation: Invocation) throws -> RouteLimits? {
        let stated = try [
            Settings.requestsPerMinute, Settings.inputTokensPerMinute, Settings.outputTokensPerMinute,
        ]
        .map { try invocation.optional($0) }
        let manners: [any SettingDeclaration] = [Settings.burst, Settings.outputEstimate]
        let window = try invocation.value(of: Settings.burst)
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
