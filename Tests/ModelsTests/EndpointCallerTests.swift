import HTTPClient
import HTTPServer
import Jobs
import Models
import Simulator
import Synchronization
import Telemetry
import TestSupport
import Testing

/// Two simulators behind one service: the faster is used, and a dead one is left.
@Suite(.timeLimit(.minutes(1))) struct EndpointCallerTests {
    @Test func `The faster of two endpoints gets the calls`() async throws {
        try await withEndpoints(latencies: ["150ms", "5ms"]) { pair in
            for number in 0..<20 {
                #expect(await pair.caller.call(Self.attempt(number)).isAnswer)
            }
            #expect(pair.simulators[0].stats.calls == 1)
            #expect(pair.simulators[1].stats.calls == 19)
            #expect(pair.rankings.withLock { $0.last }?.first == pair.urls[1])
        }
    }

    @Test func `When the best dies, every call is answered by the other, and nobody asks it again`()
        async throws
    {
        try await withEndpoints(latencies: ["150ms", "5ms"]) { pair in
            for number in 0..<4 { _ = await pair.caller.call(Self.attempt(number)) }
            #expect(pair.rankings.withLock { $0.last }?.first == pair.urls[1])
            // Time stands still from here on: no rest is over.
            try pair.simulators[0].update(["latency": "0"])
            await pair.servers[1].stop()
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for number in 10..<30 {
                    group.addTask { await pair.caller.call(Self.attempt(number)).isAnswer }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            // A kept connection that the dead server closed may cost one call, which the worker repeats.
            let answered = outcomes.count { $0 }
            #expect(answered >= 19)
            #expect(pair.rankings.withLock { $0.last }?.first == pair.urls[0])
            let (before, asked) = (pair.simulators[0].stats.calls, pair.asked.map(\.count))
            #expect(before == 1 + answered)
            for number in 30..<33 { #expect(await pair.caller.call(Self.attempt(number)).isAnswer) }
            #expect(pair.asked.map(\.count) == [asked[0] + 3, asked[1]])
        }
    }

    @Test func `5xx moves on to the next endpoint, what the provider refuses does not`() async throws {
        try await withEndpoints(latencies: ["0", "0"]) { pair in
            for number in 0..<4 { _ = await pair.caller.call(Self.attempt(number)) }
            let before = pair.simulators.map(\.stats.calls).reduce(0, +)
            _ = await pair.caller.call(Self.attempt(50, "[[sim:status=500]]"))
            #expect(pair.simulators.map(\.stats.calls).reduce(0, +) == before + 2)
            _ = await pair.caller.call(Self.attempt(51, "[[sim:status=429]]"))
            #expect(pair.simulators.map(\.stats.calls).reduce(0, +) == before + 3)
        }
    }

    @Test func `A connection that breaks after the request was sent is not repeated elsewhere`() async throws
    {
        try await withEndpoints(latencies: ["0", "0"]) { pair in
            let outcome = await pair.caller.call(Self.attempt(0, "[[sim:drop-after]]"))
            #expect(outcome.routeIsWell)
            #expect(pair.simulators.map(\.stats.calls).reduce(0, +) == 1)
        }
    }

    // MARK: Two simulators

    private struct Pair {
        let simulators: [Simulator]
        let servers: [HTTPServer]
        let urls: [String]
        let caller: EndpointCaller
        let asked: [AskedCaller]
        let rankings: Rankings
    }

    private final class AskedCaller: ModelCaller {
        private let caller: AnthropicCaller
        private let calls = Atomic(0)
        var count: Int { calls.load(ordering: .acquiring) }
        var services: [ServiceKey] { caller.services }

        init(_ caller: AnthropicCaller) { self.caller = caller }

        func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
            calls.add(1, ordering: .acquiringAndReleasing)
            return await caller.call(attempt, listener: listener)
        }
    }

    private final class Rankings: Sendable {
        private let seen = Mutex<[[String]]>([])
        func append(_ urls: [String]) { seen.withLock { $0.append(urls) } }
        func withLock<T: Sendable>(_ body: ([[String]]) -> T) -> T { seen.withLock { body($0) } }
    }

    private static let service = ServiceKey(
        provider: "anthropic", endpoint: "https://anthropic.test", credential: "KEY", simulated: false)

    private static func attempt(_ number: Int, _ prompt: String = "Say") -> ClaimedAttempt {
        let request =
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":16,"messages":[{"role":"user","content":"\#(prompt) \#(number)"}]}"#
        return ClaimedAttempt(
            key: AttemptKey(job: JobID(Int64(number + 1)), number: 1), queue: "default",
            route: RouteKey(service: service, model: "claude-haiku-4-5-20251001"),
            request: Array(request.utf8), maxTokens: 16, openedAt: Timestamp(milliseconds: 0),
            leaseUntil: Moment(epoch: 1, milliseconds: 1),
            deadline: nil, failures: 0, alone: false)
    }

    private func withEndpoints(latencies: [String], _ body: (Pair) async throws -> Void) async throws {
        let clock = HandClock()
        // The clock goes on by what the simulators take, and by nothing else: a busy machine makes no endpoint slow.
        let time = SimulatorClock(
            timestamp: { clock.time.timestamp.milliseconds }, uptime: { clock.time.moment.milliseconds },
            sleep: { clock.advance($0) })
        let simulators = try latencies.map { latency in
            Simulator(
                settings: try SimulatorSettings(options: ["latency": latency, "latency-sigma": "0"]),
                clock: time, log: .silent)
        }
        let servers = simulators.map { HTTPServer(configuration: .init(), handler: $0) }
        for server in servers { try server.start() }
        let urls = servers.map { "http://127.0.0.1:\($0.port)" }
        let client = HTTPClient()
        let rankings = Rankings()
        let asked = urls.map { url in
            let service = AnthropicService(key: Self.service, baseURL: url, apiKey: Secret("sk-test"))
            return AskedCaller(AnthropicCaller(services: [service], client: client, clock: clock))
        }
        let caller = EndpointCaller(
            service: Self.service, endpoints: zip(urls, asked).map { ($0, $1) }, clock: clock
        ) { rankings.append($0.map(\.url)) }
        try await body(
            Pair(
                simulators: simulators, servers: servers, urls: urls, caller: caller, asked: asked,
                rankings: rankings))
        client.shutdown()
        for server in servers { await server.stop() }
    }
}

extension Outcome {
    fileprivate var isAnswer: Bool {
        if case .answer = result { return true }
        return false
    }
}
