import JSON
import Jobs
import StoreRules

/// The world that searches walk: what is configured, and what comes in.
enum World {
    static let lease: Milliseconds = 30_000
    static let start = Now(
        timestamp: Timestamp(milliseconds: 1_790_000_000_000),
        moment: Moment(epoch: 1, milliseconds: 1_000_000))

    static let service = ServiceKey(
        provider: "p", endpoint: "http://p", credential: "KEY", simulated: false)
    static let otherService = ServiceKey(
        provider: "q", endpoint: "http://q", credential: "OTHER", simulated: false)
    static let services = [service, otherService]
    static let keys = [
        RouteKey(service: service, model: "small"), RouteKey(service: service, model: "large"),
        RouteKey(service: otherService, model: "small"),
    ]
    static let prices = PriceTable(
        overrides: [
            "small": [
                .init(price: Price(input: 1, output: 5, cacheWrite5m: 2, cacheWrite1h: 2, cacheRead: 1))
            ],
            "large": [
                .init(price: Price(input: 3, output: 15, cacheWrite5m: 4, cacheWrite1h: 6, cacheRead: 1))
            ],
        ])

    /// Each of two routes in the other's place, for every cause.
    static let fallbacks = FallbackChains([
        keys[0]: [Fallback(route: keys[1], causes: Set(Fallback.Cause.allCases))],
        keys[1]: [Fallback(route: keys[0], causes: Set(Fallback.Cause.allCases))],
    ])

    /// A route with a limit of calls per minute; nil for one that names none.
    static func route(_ place: Int, perMinute: Int?) -> RouteRow {
        var ledger = RouteLedger(
            gate: RouteGate(), isPaused: false, running: 0, succeeded: 0, isLearned: perMinute != nil,
            profile: RouteProfile(), lines: [:])
        guard let perMinute else {
            return RouteRow(state: RouteState(id: Int64(place + 1), key: keys[place], ledger: ledger))
        }
        ledger.state(.requests, perMinute, now: start.moment)
        ledger.state(.outputTokens, perMinute * 30, now: start.moment)
        let bucket = TokenBucket(perMinute: perMinute, at: start.moment)
        let grant = RouteRow.Grant(
            perMillisecond: bucket.perMillisecond, capacity: bucket.capacity, level: bucket.capacity,
            at: start.timestamp)
        return RouteRow(
            state: RouteState(id: Int64(place + 1), key: keys[place], ledger: ledger), granted: grant)
    }

    static func queue(_ name: String, concurrency: Int? = nil, weight: Int = 100) -> QueueRow {
        QueueRow(
            name: name, concurrency: concurrency, weight: weight, running: keys.map { _ in 0 },
            pass: keys.map { _ in 0 })
    }

    static func budget(
        _ name: String, _ limit: Int64, scope: Budget.Scope = .all, window: Budget.Window = .total
    ) -> BudgetRow {
        BudgetRow(
            budget: Budget(name: name, scope: scope, window: window, limit: Money(nanodollars: limit)))
    }

    static func workers(_ partitions: [Partition]) -> [WorkerRow] {
        partitions.enumerated().map { place, partition in
            WorkerRow(id: Int64(place + 1), partition: partition, credential: place % 2)
        }
    }

    /// Two keys of the one service; workers have one or the other.
    static let credentials = [1, 2].map { CredentialState(id: $0, service: service, gate: RouteGate()) }

    // MARK: Requests and answers

    /// A prompt by its number; most of what the rules ask of it without its text.
    static func request(_ prompt: Int, prefix: Int? = nil) -> RequestRow {
        RequestRow(
            own: [], bytes: 60, promptHash: [UInt8(prompt & 255), UInt8(prompt >> 8 & 255)],
            bound: CostBound(inputTokens: 60, writes: prefix == nil ? .none : .fiveMinutes),
            prefix: prefix.map { CachePrefix(hash: [255, 255, UInt8($0)], lifetime: 300_000) })
    }

    /// The same with its text, for jobs whose answers are checked.
    static func checkedRequest(_ prompt: Int, route: Int) -> RequestRow {
        let text =
            #"{"model":"\#(keys[route].model)","max_tokens":10,"messages":[{"role":"user","content":"\#(prompt)"}]}"#
        let own = Array(text.utf8)
        guard let json = try? JSON.parse(own) else { preconditionFailure("what is written here is JSON") }
        return RequestRow(
            own: own, bytes: own.count, promptHash: PromptHash(request: json, sample: 0, betas: []).bytes,
            bound: CostBound(request: json))
    }

    /// What follows an answer that is not “yes”: each step there is.
    static let checks = [
        #"{"labels":["yes"]}"#, #"{"labels":["yes"],"on_fail":"review"}"#,
        #"{"labels":["yes"],"on_fail":["repair","review"]}"#,
        #"{"labels":["yes"],"on_fail":["repair",{"escalate":"large"},"review"]}"#,
    ].map { Array($0.utf8) }

    static let yes = body("yes")
    static let no = body("no")

    private static func body(_ text: String) -> [UInt8] {
        Array(#"{"content":[{"type":"text","text":"\#(text)"}]}"#.utf8)
    }

    static func answer(
        _ body: [UInt8] = yes, stopReason: String = "end_turn", isBatch: Bool = false
    ) -> Answer {
        Answer(
            body: body, model: "small",
            usage: Usage(inputTokens: 20, outputTokens: 4, isBatch: isBatch), stopReason: stopReason)
    }
}

extension MemoryWorld {
    /// One queue, one route without limits, one worker.
    static func plain() -> MemoryWorld {
        var world = MemoryWorld(
            now: World.start, settings: RuleSettings(prices: World.prices), terms: HalfPriceTerms(),
            routes: [World.route(0, perMinute: nil)], queues: [World.queue("a")])
        world.workers = World.workers([.common])
        world.credentials = World.credentials
        return world
    }
}
