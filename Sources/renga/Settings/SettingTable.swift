import Jobs
import Telemetry

/// Every setting that is not a secret.
enum Settings {
    static let baseURL = Setting<String>(
        "ANTHROPIC_BASE_URL", "URL", standard: "https://api.anthropic.com",
        "the provider's address; /v1 or /v1/messages at its end is removed",
        expectation: WebAddress.expectation, parse: WebAddress.messagesBase)
    static let database = Setting<String>.text(
        "RENGA_DATABASE", "PATH", standard: "./renga.db",
        "path of the database, or postgres://USER@HOST/NAME")
    static let databaseRead = Setting<String>.text(
        "RENGA_DATABASE_READ", "URL",
        "postgres://USER@HOST/NAME of a standby that answers lists, results and statistics")
    static let fileMode = Setting<UInt32>(
        "RENGA_FILE_MODE", "MODE", standard: "0600",
        "permissions of the database, its log and copies; the umask is applied",
        expectation: "a file mode with which the owner can read and write, such as 0600, 0640 or 0660"
    ) { text in
        UInt32(text, radix: 8).flatMap { $0 & 0o600 == 0o600 && $0 & ~0o666 == 0 ? $0 : nil }
    }
    static let listen = Setting<ListenAddress>(
        "RENGA_LISTEN", "HOST:PORT", standard: "127.0.0.1:8080",
        "address and port of the server; beyond loopback a key is required",
        expectation: ListenAddress.expectation, parse: ListenAddress.init(_:))
    static let port = Setting<Int>.integer("PORT", "sets the port of RENGA_LISTEN alone", in: 0...65_535)
    static let model = Setting<String>.text(
        "RENGA_MODEL", "MODEL", standard: "claude-haiku-4-5-20251001", "the model of jobs that name none")
    static let maxTokens = Setting<Int>.integer(
        "RENGA_MAX_TOKENS", standard: "1024", "max_tokens of jobs that name none", in: 1...10_000_000)
    static let concurrency = Setting<Int>.integer(
        "RENGA_CONCURRENCY", standard: "40", "calls in flight per worker", in: 1...10_000)
    static let lease = Setting<Milliseconds>.duration(
        "RENGA_LEASE", standard: "30s", "how long a job belongs to a worker that gives no sign of life",
        atLeast: 1000
    )
    static let maxAttempts = Setting<Int>.integer(
        "RENGA_MAX_ATTEMPTS", standard: "4", "counted attempts of jobs that name no limit", in: 1...100)
    static let backoffBase = Setting<Milliseconds>.duration(
        "RENGA_BACKOFF_BASE", standard: "1s", "base of the random wait after a failure; it doubles with each",
        atLeast: 1)
    static let backoffCap = Setting<Milliseconds>.duration(
        "RENGA_BACKOFF_CAP", standard: "60s", "the longest wait after a failure", atLeast: 1)
    static let requestsPerMinute = limit("RENGA_RPM", "requests per minute of the default route")
    static let inputTokensPerMinute = limit("RENGA_ITPM", "input tokens per minute of the default route")
    static let outputTokensPerMinute = limit("RENGA_OTPM", "output tokens per minute of the default route")
    static let rateWindow = Setting<Milliseconds>.duration(
        "RENGA_RATE_WINDOW", standard: "1m",
        "how much unused capacity may accumulate; 1s for providers that enforce limits by the second",
        atLeast: 100)
    static let outputEstimate = Setting<Bool>(
        "RENGA_OUTPUT_ESTIMATE", "learned|max_tokens", standard: "learned",
        "what a call reserves of the output limit: the 90th percentile of the observed output, or max_tokens",
        expectation: "learned or max_tokens"
    ) { ["learned": false, "max_tokens": true][$0] }
    static let dailyBudget = budget("RENGA_DAILY_BUDGET_USD", "the most that may be spent in a UTC day")
    static let monthlyBudget = budget("RENGA_MONTHLY_BUDGET_USD", "the most that may be spent in a UTC month")
    static let cacheTTL = Setting<Milliseconds>.duration(
        "RENGA_CACHE_TTL", standard: "30d", "how long answers are reused; 0 turns the cache off")
    static let cacheInteractive = Setting<Bool>(
        "RENGA_CACHE_INTERACTIVE", "on|off", standard: "off",
        "whether interactive calls use the cache by default",
        expectation: "on or off"
    ) { ["on": true, "off": false][$0] }
    static let interactiveWait = Setting<Milliseconds>.duration(
        "RENGA_INTERACTIVE_WAIT", standard: "60s",
        "how long interactive calls wait for a limit before they are refused with a retry-after")
    static let interactiveConcurrency = Setting<Int>.integer(
        "RENGA_INTERACTIVE_CONCURRENCY", standard: "1000", "interactive calls in flight per server",
        in: 1...10_000)
    static let clientRequests = Setting<Int>.integer(
        "RENGA_CLIENT_RPM",
        "requests per minute of one client, by key or else by address; no limit if unset",
        in: 1...100_000_000)
    static let clientConcurrency = Setting<Int>.integer(
        "RENGA_CLIENT_CONCURRENCY", standard: "1500", "requests of one client at the same time",
        in: 1...100_000)
    static let batchLinger = Setting<Milliseconds>.duration(
        "RENGA_BATCH_LINGER", standard: "1m", "how long to wait for more jobs before a batch is sent",
        atLeast: 1)
    static let batchPoll = Setting<Milliseconds>.duration(
        "RENGA_BATCH_POLL", standard: "1m", "polling interval for provider batches", atLeast: 10)
    static let batchDeadlineMargin = Setting<Milliseconds>.duration(
        "RENGA_BATCH_DEADLINE_MARGIN", standard: "15m",
        "how long before their deadline jobs are called back from a batch; a job is sent in a batch if twice that is left",
        atLeast: 1000)
    static let retention = Setting<Milliseconds>.duration(
        "RENGA_RETENTION", standard: "30d", "how long finished jobs are kept", atLeast: 1000)
    static let connectTimeout = Setting<Milliseconds>.duration(
        "RENGA_CONNECT_TIMEOUT", standard: "2s", "for name resolution, TCP and TLS together", atLeast: 1)
    static let writeTimeout = Setting<Milliseconds>.duration(
        "RENGA_WRITE_TIMEOUT", standard: "5s", "the longest pause while a request is sent", atLeast: 1)
    static let idleTimeout = Setting<Milliseconds>.duration(
        "RENGA_IDLE_TIMEOUT", standard: "120s",
        "the longest silence in an answer; providers ping about every 30s while a model thinks", atLeast: 1
    )
    static let callTimeout = Setting<Milliseconds>.duration(
        "RENGA_CALL_TIMEOUT", standard: "1h",
        "for a whole call, pings included; its answer must begin within 10m", atLeast: 1)
    static let authorityFile = Setting<String>.text(
        "RENGA_CA_FILE", "PATH",
        "certificates (PEM) of trusted authorities, such as that of a company's proxy")
    static let shutdownTimeout = Setting<Milliseconds>.duration(
        "RENGA_SHUTDOWN_TIMEOUT", standard: "30s", "how long SIGTERM waits for calls in flight")
    static let corsOrigins = Setting<[String]>(
        "RENGA_CORS_ORIGINS", "URL,…", standard: nil, "origins that browsers may call from",
        expectation: "origins such as https://app.example.com, separated by commas", parse: WebAddress.origins
    )
    static let allowedHosts = Setting<[String]>(
        "RENGA_ALLOWED_HOSTS", "NAME,…", standard: nil,
        "host names that a server without a key accepts, besides those of loopback",
        expectation: "names or addresses without port, such as renga.lan,10.0.0.7",
        parse: WebAddress.hosts)
    static let config = Setting<String>.text(
        "RENGA_CONFIG", "PATH", "path of a file with providers, routes, prices, fallbacks and budgets")
    static let adoptConfig = Setting<Bool>(
        "RENGA_ADOPT_CONFIG", nil, standard: "off",
        "go back, for all processes, to a configuration that a newer one superseded",
        expectation: "on or off"
    ) { ["": true, "on": true, "off": false][$0] }
    static let calendarPatience = Setting<Milliseconds>.duration(
        "RENGA_CALENDAR_PATIENCE", standard: "10m",
        "how long a calendar that jumped must last without contradiction before it counts; 0: at once"
    )
    static let interactiveReserveTokens = Setting<Int>.integer(
        "RENGA_INTERACTIVE_RESERVE_TOKENS",
        "the most output tokens that an interactive call reserves of budgets; its max_tokens if unset",
        in: 1...10_000_000)
    static let logLevel = Setting<Log.Level>(
        "RENGA_LOG", "LEVEL", standard: "info", "the lowest level that is logged",
        expectation: "one of \(Log.Level.allCases.map(\.name).joined(separator: ", "))",
        parse: Log.Level.init(name:))
    static let url = Setting<String>(
        "RENGA_URL", "URL", standard: "http://127.0.0.1:8080", "the server to talk to",
        expectation: WebAddress.expectation, parse: WebAddress.parse)

    /// All that `up`, `serve` and `work` read: each checks them all, so that a typo shows wherever it is.
    static let ofServices: [any SettingDeclaration] = [
        baseURL, database, databaseRead, fileMode, listen, port, model, maxTokens, concurrency, lease,
        maxAttempts,
        backoffBase, backoffCap,
        requestsPerMinute, inputTokensPerMinute, outputTokensPerMinute, rateWindow, outputEstimate,
        dailyBudget,
        monthlyBudget, cacheTTL,
        cacheInteractive, interactiveWait, interactiveConcurrency, clientRequests, clientConcurrency,
        batchLinger, batchPoll, batchDeadlineMargin, retention, connectTimeout, writeTimeout,
        idleTimeout, callTimeout, authorityFile, shutdownTimeout,
        corsOrigins, allowedHosts, config, adoptConfig, calendarPatience, interactiveReserveTokens,
        logLevel,
    ]

    /// `learned` takes a limit back that was stated before.
    private static func limit(_ name: String, _ help: String) -> Setting<StatedLimit> {
        Setting(
            name, "N", standard: nil, help + "; learned from the provider if unset",
            expectation: "a whole number above 0, or learned"
        ) { text in
            if text == "learned" { return .learned }
            return Int(text).flatMap { (1...1_000_000_000_000).contains($0) ? .perMinute($0) : nil }
        }
    }

    /// `none` takes a budget back that was stated before.
    private static func budget(_ name: String, _ help: String) -> Setting<BudgetSetting> {
        Setting(
            name, "USD", standard: nil, help + "; none removes it",
            expectation: "an amount above 0 such as 5 or 12.50, or none"
        ) { text in
            if text == "none" { return BudgetSetting.none }
            return Money(dollars: text).flatMap { $0 > .zero ? .amount($0) : nil }
        }
    }
}

/// A budget as the operator says it.
enum BudgetSetting: Hashable, Sendable {
    case amount(Money)
    case none
}

/// A limit as the operator says it.
enum StatedLimit: Hashable, Sendable {
    case perMinute(Int)
    case learned

    var number: Int? {
        if case .perMinute(let number) = self { number } else { nil }
    }
}
