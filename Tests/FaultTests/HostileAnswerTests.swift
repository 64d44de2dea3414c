import Foundation
import HTTPClient
import JSON
import JobStoreSQLite
import Jobs
import Models
import RawServer
import Synchronization
import Testing
import TestSupport

/// Answers whose heads, usage and statuses are drawn at random, over real connections into a real store.
@Suite(.timeLimit(.minutes(2))) struct HostileAnswerTests {
    private static let rounds = ProcessInfo.processInfo.environment["RENGA_LONG"] == "1" ? 5000 : 200

    @Test func `Whatever an upstream says, its route calls again within a minute of an honest answer`()
        async throws
    {
        let seed =
            ProcessInfo.processInfo.environment["RENGA_SEED"].flatMap { UInt64($0) }
            ?? .random(in: 0...UInt64.max)
        print("\(Self.rounds) hostile answers, RENGA_SEED=\(seed) repeats them")
        let path = NSTemporaryDirectory() + "renga-hostile-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let clock = HandClock()
        let store = try await SQLiteJobStore(path: path + "/renga.db", clock: clock)
        let client = HTTPClient()
        defer { client.shutdown() }
        var round = try await HostileRound(store, clock, client, seed: seed)
        do {
            for number in 0..<Self.rounds {
                try await round.lie()
                if number.isMultiple(of: 5) {
                    let waited = try await round.waitForHonesty()
                    #expect(waited <= 60_010, "RENGA_SEED=\(seed), round \(number)")
                }
            }
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

/// A provider that answers as it is told, and a worker's steps by a clock turned by hand.
private struct HostileRound {
    private let store: SQLiteJobStore
    private let worker: WorkerID
    private let caller: AnthropicCaller
    private let server: ScriptedServer
    private let word: Word
    private let route: RouteKey
    private var random: SeededRandom
    private var jobs = 0
    private let clock: HandClock

    /// What the next answer says.
    private final class Word: Sendable {
        private let text = Mutex("")
        func set(_ new: String) { text.withLock { $0 = new } }
        var now: String { text.withLock { $0 } }
    }

    private struct StoppedClock: Jobs.Clock {
        func now() -> Now {
            Now(
                timestamp: Timestamp(milliseconds: 1_790_000_000_000),
                moment: Moment(epoch: 1, milliseconds: 0))
        }
    }

    init(_ store: SQLiteJobStore, _ clock: HandClock, _ client: HTTPClient, seed: UInt64) async throws {
        let word = Word()
        let server = ScriptedServer { peer in
            while peer.request() != nil { peer.send(word.now) }
        }
        let service = ServiceKey(
            provider: "anthropic", endpoint: server.url, credential: "KEY", simulated: false)
        caller = AnthropicCaller(
            services: [AnthropicService(key: service, baseURL: server.url, apiKey: Secret("sk-test"))],
            client: client, settings: CallSettings(), clock: StoppedClock())
        route = RouteKey(service: service, model: "claude-haiku-4-5-20251001")
        random = SeededRandom(seed: seed)
        worker = try await store.register(NewWorker(name: "w", host: "h", processID: 1, slots: 5))
        (self.store, self.clock, self.word, self.server) = (store, clock, word, server)
    }

    // MARK: Steps

    /// A call that is answered by nonsense, where one is let through.
    mutating func lie() async throws {
        guard let attempt = try await claim().attempts.first else {
            return clock.advance(.random(in: 1...90_000, using: &random))
        }
        word.set(answer())
        clock.advance(.random(in: 1...5_000, using: &random))
        try await settle(attempt)
    }

    /// How long the route waits once it has answered honestly.
    mutating func waitForHonesty() async throws -> Milliseconds {
        let (attempt, before) = try await next()
        #expect(before <= 450_000)
        word.set(Self.honest)
        clock.advance(1000)
        try await settle(attempt)
        let (again, after) = try await next()
        word.set(Self.honest)
        try await settle(again)
        return after
    }

    private mutating func next() async throws -> (ClaimedAttempt, Milliseconds) {
        var waited: Milliseconds = 0
        for _ in 0..<60 {
            let claim = try await claim()
            if let attempt = claim.attempts.first { return (attempt, waited) }
            let wait = max(1, try #require(claim.wakeAfter))
            waited += wait
            clock.advance(wait)
        }
        throw Stuck()
    }

    private struct Stuck: Error {}

    /// With a job that has not been tried, so that no job's own backoff is waited for.
    private mutating func claim() async throws -> Claim {
        jobs += 1
        let request = Array(
            #"{"model":"\#(route.model)","max_tokens":64,"messages":[{"role":"user","content":"\#(jobs)"}]}"#
                .utf8)
        let json = try JSON.parse(request)
        var job = NewJob(
            queue: "q\(jobs)", request: request, route: route, maxTokens: 64, bound: CostBound(request: json),
            promptHash: PromptHash(request: json), fingerprint: request)
        job.maxAttempts = 1
        _ = try await store.enqueue([job], atomically: true)
        return try await store.claim(
            ClaimRequest(worker: worker, slots: 1, running: 0, lease: 30_000, services: [route.service]))
    }

    private mutating func settle(_ attempt: ClaimedAttempt) async throws {
        let outcome = await caller.call(attempt)
        let decision = Decision.decide(outcome, failures: 0, policy: RetryPolicy(), using: &random)
        var settlement = Settlement(
            key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
            unconfirmedCost: decision.unconfirmedCost, limits: outcome.limits, callMilliseconds: 700)
        switch outcome.result {
        case .answer(let answer): settlement.answer = answer
        case .refusal(let refusal): settlement.usage = refusal.usage
        case .broken(let breakage): settlement.usage = breakage.usage
        case .abandoned: break
        }
        _ = try await store.settle(settlement)
    }

    // MARK: What is said

    private static let numbers = [
        "0", "1", "999", "2147483647", "9223372036854775807", "9223372036854775808", "1e18", "-1", "1.5",
        "NaN", "",
        "1000000000000000000", String(repeating: "9", count: 400),
    ]
    private static let statuses = [
        "200 OK", "200 OK", "200 OK", "400 Bad", "401 No", "402 Pay", "403 No", "404 No", "429 Slow",
        "429 Slow",
        "500 Oops", "503 Down", "529 Busy",
    ]
    private static let meters = ["requests", "input-tokens", "output-tokens"]

    private mutating func number() -> String { Self.numbers.randomElement(using: &random) ?? "0" }

    private mutating func answer() -> String {
        let status = Self.statuses.randomElement(using: &random) ?? "200 OK"
        var headers: [String] = []
        for meter in Self.meters where Bool.random(using: &random) {
            headers.append("anthropic-ratelimit-\(meter)-limit: \(number())")
            headers.append("anthropic-ratelimit-\(meter)-remaining: \(number())")
        }
        if Bool.random(using: &random) { headers.append("retry-after: \(number())") }
        if Bool.random(using: &random) { headers.append("retry-after: Fri, 31 Dec 9999 23:59:59 GMT") }
        let body =
            status.hasPrefix("200")
            ? Self.message(input: number(), output: number())
            : #"{"type":"error","error":{"type":"api_error","message":"no"}}"#
        return Self.response(status, headers, body)
    }

    private static let honest = response(
        "200 OK",
        meters.flatMap {
            ["anthropic-ratelimit-\($0)-limit: 50000", "anthropic-ratelimit-\($0)-remaining: 49000"]
        },
        message(input: "21", output: "4"))

    private static func message(input: String, output: String) -> String {
        #"{"type":"message","id":"m","role":"assistant","model":"claude-haiku-4-5-20251001","#
            + #""content":[{"type":"text","text":"yes"}],"stop_reason":"end_turn","#
            + #""usage":{"input_tokens":\#(input),"output_tokens":\#(output)}}"#
    }

    private static func response(_ status: String, _ headers: [String], _ body: String) -> String {
        (["HTTP/1.1 \(status)", "Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
            + headers)
            .joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}
