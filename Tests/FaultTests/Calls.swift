import HTTPClient
import HTTPServer
import JSON
import Jobs
import Models
import RawServer
import Simulator
import Synchronization
import Telemetry

/// A provider that is up, and a caller of it.
final class Upstream: Sendable {
    let service: ServiceKey
    let caller: any ModelCaller
    private let fault: Fault
    private let kind: CallKind
    private let server: Server

    private enum Server: Sendable {
        case simulator(HTTPServer)
        case scripted(ScriptedServer)
        case absent(DeafPort)
    }

    static let model = "claude-haiku-4-5-20251001"

    init(_ fault: Fault, _ kind: CallKind, _ client: HTTPClient) throws {
        self.fault = fault
        self.kind = kind
        let base: String
        switch fault.provider {
        case .simulated:
            let simulator = try Self.startSimulator()
            server = .simulator(simulator)
            base = "http://127.0.0.1:\(simulator.port)"
        case .scripted(let script):
            let scripted = Self.start(script, kind)
            server = .scripted(scripted)
            base = scripted.url
        case .absent:
            let port = DeafPort()
            server = .absent(port)
            base = port.url
        }
        service = ServiceKey(
            provider: kind.dialect == .messages ? "anthropic" : "relay", endpoint: "\(kind): \(fault.name)",
            credential: "KEY", simulated: false)
        let caller = Self.caller(service, base, kind, fault.patience.timeouts, client)
        self.caller =
            fault.warmsUp ? WarmedCaller(caller, question: Self.question("Hello", kind)) : caller
    }

    private static func startSimulator() throws -> HTTPServer {
        let start = ContinuousClock.now
        let now = { @Sendable in Int64((ContinuousClock.now - start) / .milliseconds(1)) + 1_790_000_000_000 }
        let simulator = Simulator(
            settings: SimulatorSettings(), clock: SimulatorClock(timestamp: now, uptime: now), log: .silent)
        let server = HTTPServer(configuration: .init(), handler: simulator)
        try server.start()
        return server
    }

    private static func start(
        _ script: @escaping @Sendable (Peer, CallKind) -> Void, _ kind: CallKind
    ) -> ScriptedServer {
        let connections = Counter()
        return ScriptedServer { peer in
            guard connections.next() > 1 else { return script(peer, kind) }
            while peer.request() != nil { peer.send(kind.answer) }
        }
    }

    private static func caller(
        _ service: ServiceKey, _ base: String, _ kind: CallKind, _ timeouts: HTTPRequest.Timeouts,
        _ client: HTTPClient
    ) -> any ModelCaller {
        let settings = CallSettings(timeouts: timeouts, maxAnswerBytes: 1 << 16)
        let key = Secret("sk-test")
        return switch kind.dialect {
        case .messages:
            AnthropicCaller(
                services: [AnthropicService(key: service, baseURL: base, apiKey: key)], client: client,
                settings: settings, clock: FixedClock())
        case .chat:
            OpenAICaller(
                services: [OpenAIService(key: service, baseURL: base + "/v1", apiKey: key)], client: client,
                settings: settings, clock: FixedClock())
        }
    }

    var route: RouteKey { RouteKey(service: service, model: Self.model) }

    /// The question that meets the fault.
    var request: [UInt8] {
        var words = "Tell me more. " + String(repeating: "x", count: fault.size)
        if case .simulated(let marker) = fault.provider { words += "[[sim:\(marker);times=1]]" }
        return Self.question(words, kind)
    }

    private static func question(_ words: String, _ kind: CallKind) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("model", model)
            json.field("max_tokens", 256)
            if kind.streams { json.field("stream", true) }
            json.key("messages")
            json.array { messages in
                messages.object { message in
                    message.field("role", "user")
                    message.field("content", words)
                }
            }
        }
        return json.bytes
    }

    /// What comes of a call that meets the fault.
    func call() async -> Outcome {
        await caller.call(
            ClaimedAttempt(
                key: AttemptKey(job: JobID(1), number: 1), queue: "q", route: route, request: request,
                maxTokens: 256, openedAt: Timestamp(milliseconds: 0),
                leaseUntil: Moment(epoch: 1, milliseconds: 0),
                deadline: nil, failures: 0, alone: false))
    }

    func stop() async {
        if case .simulator(let server) = server { await server.stop() }
    }
}

/// Asks something else right before its first call, which so finds a connection that has been used.
private final class WarmedCaller: ModelCaller {
    private let caller: any ModelCaller
    private let question: [UInt8]
    private let isWarm = Atomic(false)

    init(_ caller: any ModelCaller, question: [UInt8]) {
        self.caller = caller
        self.question = question
    }

    var services: [ServiceKey] { caller.services }

    func call(_ attempt: ClaimedAttempt, listener: (any AnswerListener)?) async -> Outcome {
        if !isWarm.exchange(true, ordering: .relaxed) {
            var first = attempt
            first.request = question
            _ = await caller.call(first)
        }
        return await caller.call(attempt, listener: listener)
    }
}

private final class Counter: Sendable {
    private let count = Atomic(0)

    func next() -> Int { count.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue }
}

private struct FixedClock: Jobs.Clock {
    func now() -> Now {
        Now(timestamp: Timestamp(milliseconds: 1_790_000_000_000), moment: Moment(epoch: 1, milliseconds: 0))
    }
}
