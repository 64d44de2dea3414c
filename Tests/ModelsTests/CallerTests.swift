import HTTPClient
import HTTPServer
import JSON
import Jobs
import Simulator
import Telemetry
import Testing

@testable import Models

/// Calls over a real connection, to the simulator; what providers do wrong is the table of FaultTests.
@Suite(.timeLimit(.minutes(1))) struct CallerTests {
    @Test(arguments: [false, true])
    func `A call is answered, and says what it used and what the limits are`(streams: Bool) async throws {
        try await withCaller(options: ["rpm": "600"]) { simulator, call in
            let outcome = await call("Say nothing.", streams)
            let answer = try #require(outcome.result.answer)
            #expect(answer.model == haiku && answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0)
            #expect(outcome.requestID?.hasPrefix("req_") == true)
            #expect(outcome.limits?.requests?.limit == 600)
            #expect(simulator.stats.billedCalls == 1)
        }
    }

    @Test func `A stream and a plain call give the same Message`() async throws {
        try await withCaller { _, call in
            let plain = try #require(await call("[[sim:say=Sixty-four é😀]]", false).result.message)
            let stream = try #require(await call("[[sim:say=Sixty-four é😀]]", true).result.message)
            #expect(plain["content"]?[0]?["text"]?.string == "Sixty-four é😀")
            #expect(stream["content"]?[0]?["text"]?.string == "Sixty-four é😀")
            #expect(plain["stop_reason"]?.string == stream["stop_reason"]?.string)
        }
    }

    @Test(arguments: [false, true])
    func `A cancelled call is aborted at once and counts as sent`(streams: Bool) async throws {
        try await withCaller { simulator, call in
            let running = Task { await call("[[sim:latency=60000]]", streams) }
            await simulator.arrivals(reach: 1)
            running.cancel()
            #expect(await running.value.result.summary == "abandoned sent")
        }
    }

    @Test func `A stream is read past its last event to its end, so that the connection is kept`()
        async throws
    {
        let (ends, ended) = AsyncStream.makeStream(of: Bool.self)
        let server = HTTPServer(configuration: .init(), handler: LateEnd { ended.yield($0) })
        try server.start()
        let client = HTTPClient()
        let outcome = await caller(client, port: server.port).call(attempt("x", streams: true))
        #expect(outcome.result.answer != nil)
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == true)
        client.shutdown()
        await server.stop()
    }

    @Test func `A job of another service, or one that is not JSON, is not sent`() async {
        let client = HTTPClient()
        defer { client.shutdown() }
        var foreign = attempt("x", streams: false)
        foreign.route.service.endpoint = "http://elsewhere"
        var broken = attempt("x", streams: false)
        broken.request = Array("{".utf8)
        for attempt in [foreign, broken] {
            #expect(await caller(client, port: 1).call(attempt).result.summary == "broken unsendable")
        }
    }

    private let haiku = "claude-haiku-4-5-20251001"

    private func attempt(_ prompt: String, streams: Bool) -> ClaimedAttempt {
        var json = JSONWriter()
        json.object { json in
            json.field("model", haiku)
            json.field("max_tokens", 256)
            if streams { json.field("stream", true) }
            json.key("messages")
            json.array { messages in
                messages.object { message in
                    message.field("role", "user")
                    message.field("content", prompt)
                }
            }
        }
        return CallPlanTests.attempt(String(decoding: json.bytes, as: UTF8.self))
    }

    private func caller(_ client: HTTPClient, port: Int) -> AnthropicCaller {
        let service = AnthropicService(
            key: CallPlanTests.key, baseURL: "http://127.0.0.1:\(port)", apiKey: Secret("sk-test"))
        return AnthropicCaller(
            services: [service], client: client,
            settings: CallSettings(timeouts: .init(connect: 2, write: 5, idle: 0.5, call: 30)),
            clock: FixedClock())
    }

    static func simulator(_ settings: SimulatorSettings = SimulatorSettings()) -> Simulator {
        let start = ContinuousClock.now
        let now = { @Sendable in Int64((ContinuousClock.now - start) / .milliseconds(1)) + 1_790_000_000_000 }
        return Simulator(settings: settings, clock: SimulatorClock(timestamp: now, uptime: now), log: .silent)
    }

    private func withCaller(
        options: [String: String] = [:],
        _ body: (Simulator, @escaping @Sendable (String, Bool) async -> Outcome) async throws -> Void
    ) async throws {
        let simulator = Self.simulator(try SimulatorSettings(options: options))
        let server = HTTPServer(configuration: .init(), handler: simulator)
        try server.start()
        let client = HTTPClient()
        let caller = caller(client, port: server.port)
        try await body(simulator) { prompt, streams in await caller.call(attempt(prompt, streams: streams)) }
        client.shutdown()
        await server.stop()
    }
}

/// Streams an answer whose end comes a little later than its last event; says whether the client waited for it.
private struct LateEnd: PlainHandler {
    let ended: @Sendable (Bool) -> Void

    func policy(for head: RequestHead) -> BodyPolicy { .collect(limit: 1 << 20) }

    func respond(to request: Request) async -> Response {
        Response(
            status: 200, headers: ["content-type": "text/event-stream"],
            body: .stream { writer in
                try await writer.write(Array(Sample.stream.utf8))
                try? await Task.sleep(for: .milliseconds(50))
                ended(!Task.isCancelled)
            })
    }
}

struct FixedClock: Jobs.Clock {
    func now() -> Now {
        Now(timestamp: Timestamp(milliseconds: 1_790_000_000_000), moment: Moment(epoch: 1, milliseconds: 0))
    }
}

extension Outcome.Result {
    /// What it is, in a few words.
    var summary: String {
        switch self {
        case .answer: "answered"
        case .refusal(let refusal):
            "refused \(refusal.status) \(refusal.type ?? "-")"
                + (refusal.retryAfter.map { " after \($0.delay)" } ?? "")
        case .broken(let breakage): "broken \(breakage.kind.rawValue)" + (breakage.maySent ? " sent" : "")
        case .abandoned(let sent): "abandoned" + (sent ? " sent" : "")
        }
    }
}
