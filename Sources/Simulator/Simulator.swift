package import HTTPServer
import JSON
import Synchronization
package import Telemetry

/// A fake of the Anthropic API that behaves: answers, prices, limits, headers, and faults on demand.
///
/// It speaks OpenAI's chat completions too: another form of the same calls, limits, faults and prices.
/// What it answers depends on the request and the seed alone. Everything it is asked is in its journal, so that
/// tests can count calls, duplicates and money. Control it in the process or over `/_sim/…`, which wants no key:
/// keep it on loopback.
package final class Simulator: PlainHandler {
    let clock: SimulatorClock
    let journal: Journal
    let cache = PromptCache()
    let threads = Threads()
    let queue: BatchQueue
    private let log: Log
    private let initial: SimulatorSettings
    private let current: Mutex<Plan>

    package init(settings: SimulatorSettings = SimulatorSettings(), clock: SimulatorClock, log: Log) {
        self.clock = clock
        self.log = log
        initial = settings
        journal = Journal(limit: settings.journalLimit)
        queue = BatchQueue(journal)
        current = Mutex(Plan(settings, since: clock.uptime()))
    }

    /// The endpoints of the provider, `/_sim/…`, and 404 for anything else.
    package func respond(to request: Request) async -> Response {
        let path = request.head.path
        if path.first == "_sim" { return await control(request) }
        if path.starts(with: Self.batchPath) { return await batch(request) }
        switch (request.head.method, path) {
        case ("POST", ["v1", "messages"]): return await message(request, in: .messages)
        case ("POST", ["v1", "chat", "completions"]):
            return await message(request, in: .chat(ChatForm(created: clock.timestamp() / 1000)))
        case ("POST", ["v1", "messages", "count_tokens"]): return countTokens(request)
        case ("GET", ["v1", "models"]): return models(request)
        case ("GET", _) where path.count == 3 && path.starts(with: ["v1", "models"]):
            return model(request, named: path[2])
        case (_, ["v1", "messages"]), (_, ["v1", "messages", "count_tokens"]), (_, ["v1", "models"]),
            (_, ["v1", "chat", "completions"]):
            return refuse(APIError(status: 405), request)
        default: return refuse(APIError(status: 404), request)
        }
    }

    /// As much as the provider takes: 256 MB for a batch, 32 MB for anything else.
    package func policy(for head: RequestHead) -> BodyPolicy {
        .collect(limit: head.path == Self.batchPath ? Self.batchBodyLimit : 32 * 1024 * 1024)
    }

    package func refuse(_ refusal: Refusal, head: RequestHead?) -> Response {
        APIError(status: refusal.status, message: "\(refusal)").response(requestID: head?.id ?? "")
    }

    var plan: Plan { current.withLock { $0 } }
}

/// Changing and reading it from within the process.
extension Simulator {
    package var settings: SimulatorSettings { plan.settings }

    /// Changes the named options from now on; changed limits start with full buckets, outages and the numbers of
    /// `batch-faults` count from now.
    package func update(_ options: [String: String]) throws(SettingError) {
        var settings = plan.settings
        try settings.update(options)
        let now = clock.uptime()
        current.withLock {
            $0 = $0.changed(to: settings, naming: options.keys.map(SimulatorSettings.spelled), now: now)
        }
        log.notice("simulator changed", ["options": "\(options.keys.sorted().joined(separator: " "))"])
    }

    /// Back to the settings of the start, an empty journal, no batches, full buckets and empty prompt caches.
    package func reset() async {
        await queue.reset()
        journal.reset(limit: initial.journalLimit)
        cache.reset()
        threads.reset()
        let plan = Plan(initial, since: clock.uptime())
        current.withLock { $0 = plan }
    }

    /// Of batches they show what was done when one was last asked for, or when `settleBatches` was called.
    package var stats: SimulatorStats { journal.stats }

    /// The requests after that sequence number, oldest first; those that the journal still holds.
    package func entries(after sequence: Int = 0, limit: Int = .max) -> [JournalEntry] {
        journal.entries(after: sequence, limit: limit)
    }

    /// How often each body was called and paid for.
    package var prompts: [Digest: SimulatorStats.Prompt] { journal.prompts }

    /// Returns once so many calls for messages have arrived since the start or the last reset, or when cancelled.
    package func arrivals(reach count: Int) async {
        await journal.arrivals(reach: count)
    }
}

/// Where the simulator's time comes from.
package struct SimulatorClock: Sendable {
    /// Milliseconds UTC.
    package var timestamp: @Sendable () -> Int64
    /// Milliseconds that only go forward: what limits and outages run by.
    package var uptime: @Sendable () -> Int64
    /// Waits so many milliseconds; throws when cancelled.
    package var sleep: @Sendable (Int64) async throws -> Void

    package init(
        timestamp: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Int64,
        sleep: @escaping @Sendable (Int64) async throws -> Void = {
            try await Task.sleep(for: .milliseconds($0))
        }
    ) {
        self.timestamp = timestamp
        self.uptime = uptime
        self.sleep = sleep
    }
}
