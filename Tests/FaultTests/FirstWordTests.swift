import Foundation
import HTTPClient
import JSON
import JobStoreSQLite
import Jobs
import Models
import RawServer
import Synchronization
import Telemetry
import Testing
import TestSupport
import Worker

/// What a worker tells of an answer that has only begun, over real connections.
@Suite(.timeLimit(.minutes(2))) struct FirstWordTests {
    /// The provider fails five times and is well again; the first answer after that ends only when the test says so.
    @Test func `The first word of the probe's answer lets the others go`() async throws {
        let failures = Count()
        let answers = Count()
        let end = Event()
        let server = ScriptedServer { peer in
            while peer.request() != nil {
                if failures.next() <= RouteGate.tripAfter {
                    peer.send(SlowProvider.failure)
                } else if answers.next() == 1 {
                    peer.send(SlowProvider.head() + SlowProvider.beginning)
                    end.waitOnThread()
                    peer.send(SlowProvider.rest)
                    return
                } else {
                    peer.sendLast(SlowProvider.head() + SlowProvider.beginning + SlowProvider.rest)
                    return
                }
            }
        }
        try await SlowProvider.work(server, jobs: 8) { store, ids in
            try await store.reaches { states in states.values.count { $0 == .succeeded } == ids.count - 1 }
            end.fire()
            try await store.reaches { states in states.values.allSatisfy { $0 == .succeeded } }
        }
    }

    /// Five calls fly until the limits are known, and none of them ends before eight are there.
    @Test(arguments: [true, false])
    func `More than the first five calls fly once the head of an answer is there`(namesLimits: Bool)
        async throws
    {
        let begun = Count()
        let end = Event()
        let server = ScriptedServer { peer in
            guard peer.request() != nil else { return }
            peer.send(SlowProvider.head(limits: namesLimits) + SlowProvider.beginning)
            if begun.next() == 8 { end.fire() }
            end.waitOnThread()
            peer.send(SlowProvider.rest)
        }
        try await SlowProvider.work(server, jobs: 8) { store, _ in
            try await store.reaches { states in states.values.allSatisfy { $0 == .succeeded } }
        }
        #expect(begun.value == 8)
    }
}

/// A provider's words, and a worker that listens to them.
private enum SlowProvider {
    static let failure = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"

    static func head(limits: Bool = false) -> String {
        let lines = ["requests", "input-tokens", "output-tokens"].map {
            "anthropic-ratelimit-\($0)-limit: 100000\r\nanthropic-ratelimit-\($0)-remaining: 90000\r\n"
        }
        return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + (limits ? lines.joined() : "")
            + "Connection: close\r\n\r\n"
    }

    static let beginning = event(
        "message_start",
        #""message":{"type":"message","id":"m","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],"#
            + #""stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}}"#)

    static let rest =
        event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)
        + event("content_block_delta", #""index":0,"delta":{"type":"text_delta","text":"yes"}"#)
        + event("content_block_stop", #""index":0"#)
        + event("message_delta", #""delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}"#)
        + event("message_stop", #""end":true"#)

    private static func event(_ name: String, _ members: String) -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\",\(members)}\n\n"
    }

    static func work(
        _ server: ScriptedServer, jobs: Int,
        _ body: (Watched, [JobID]) async throws -> Void
    ) async throws {
        let path = NSTemporaryDirectory() + "renga-first-word-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try await SQLiteJobStore(path: path + "/renga.db", clock: MachineClock())
        let client = HTTPClient()
        defer { client.shutdown() }
        let service = ServiceKey(
            provider: "anthropic", endpoint: server.url, credential: "KEY", simulated: false)
        let caller = AnthropicCaller(
            services: [AnthropicService(key: service, baseURL: server.url, apiKey: Secret("sk-test"))],
            client: client, settings: CallSettings(), clock: store)
        let ids = try await store.enqueue(
            try (0..<jobs).map { try job($0, service) }, atomically: true
        ).compactMap(\.id)
        let worker = Worker(
            store: store, caller: caller,
            settings: WorkerSettings(
                name: "w", host: "h", processID: 1, slots: 16, grace: 0, retry: RetryPolicy(base: 10, cap: 20)
            ),
            log: .silent)
        let running = Task { try await worker.run() }
        do {
            try await body(Watched(store: store, ids: ids), ids)
        } catch {
            worker.stopNow()
            try await running.value
            await store.close()
            throw error
        }
        worker.stopNow()
        try await running.value
        await store.close()
    }

    private static func job(_ number: Int, _ service: ServiceKey) throws -> NewJob {
        let model = "claude-haiku-4-5-20251001"
        let request = Array(
            #"{"model":"\#(model)","max_tokens":64,"stream":true,"messages":[{"role":"user","content":"\#(number)"}]}"#
                .utf8)
        let json = try JSON.parse(request)
        return NewJob(
            queue: "default", request: request, route: RouteKey(service: service, model: model),
            maxTokens: 64,
            bound: CostBound(request: json), promptHash: PromptHash(request: json), fingerprint: request)
    }
}

private final class Count: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .acquiring) }
    func next() -> Int { count.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue }
}

private struct Watched {
    let store: SQLiteJobStore
    let ids: [JobID]

    /// Waits on the store's own changes; the suite's limit bounds it.
    func reaches(_ isThere: ([JobID: JobState]) -> Bool) async throws {
        for await _ in store.changes().starting() where isThere(try await store.states(of: ids)) { return }
    }
}
