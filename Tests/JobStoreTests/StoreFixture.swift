import Foundation
import JSON
import Jobs
import JobStoreSQLite
import Testing

/// The stores that the conformance suite runs over: a second one is a second case.
enum Backend: String, CaseIterable, Sendable {
    case sqlite

    func open(_ directory: TemporaryDirectory, settings: StoreSettings = StoreSettings()) async throws
        -> any JobStore
    {
        switch self {
        case .sqlite: try await SQLiteJobStore(path: directory.path + "/renga.db", settings: settings)
        }
    }
}

/// A folder that goes with its test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "renga-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// A clock turned by hand, starting at noon.
struct HandClock: Sendable {
    var now = Now(
        timestamp: Timestamp(milliseconds: 1_790_000_000_000),
        moment: Moment(boot: 7, milliseconds: 1_000_000))

    mutating func advance(_ duration: Milliseconds) {
        now = Now(timestamp: now.timestamp + duration, moment: now.moment + duration)
    }
}

enum Sample {
    static let service = ServiceKey(
        provider: "anthropic", endpoint: "http://127.0.0.1:1", credential: "ANTHROPIC_API_KEY",
        simulated: false)
    static let route = RouteKey(service: service, model: "claude-haiku-4-5-20251001")

    /// A job whose prompt is `text`, complete as the API would make it.
    static func job(_ text: String, queue: String = "default", change: (inout NewJob) -> Void = { _ in })
        throws -> NewJob
    {
        let request = Array(
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":64,"messages":[{"role":"user","content":"\#(text)"}]}"#
                .utf8)
        var job = NewJob(
            queue: queue, request: request, route: route, maxTokens: 64,
            promptHash: PromptHash(request: try JSON.parse(request)), fingerprint: Array(text.utf8))
        change(&job)
        return job
    }

    static func answer(_ text: String = "positive") -> Answer {
        let body = #"{"type":"message","role":"assistant","content":[{"type":"text","text":"\#(text)"}]}"#
        return Answer(
            body: Array(body.utf8), model: route.model, usage: Usage(inputTokens: 21, outputTokens: 4),
            stopReason: "end_turn")
    }

    static func success(_ key: AttemptKey, _ text: String = "positive") -> Settlement {
        Settlement(key: key, verdict: .succeeded, routeEvent: .succeeded, answer: answer(text))
    }
}
