import Foundation
import HTTPServer
import JobStoreSQLite
import Jobs
import Telemetry
import TestSupport

@testable import API

/// An API over a store in a file of its own, with a worker that succeeds at everything.
struct RealHarness {
    let store: SQLiteJobStore
    let clock: HandClock
    let api: API
    private let worker: WorkerID

    static func with(
        adjust: (inout APISettings) -> Void = { _ in }, _ body: (RealHarness) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "renga-api-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = HandClock(TestClock().now())
        let store = try await SQLiteJobStore(path: folder + "/renga.db", clock: clock)
        var settings = APISettings(service: .test)
        adjust(&settings)
        let harness = try await RealHarness(store, clock, settings)
        do {
            try await body(harness)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    private init(_ store: SQLiteJobStore, _ clock: HandClock, _ settings: APISettings) async throws {
        self.store = store
        self.clock = clock
        api = API(
            store: store, settings: settings, log: .silent,
            batches: store)
        worker = try await store.register(NewWorker(name: "w1", host: "h", processID: 1, slots: 1000))
    }

    func send(_ method: String, _ target: String, _ body: String = "", headers: Headers = [:]) async throws
        -> Answer
    {
        let head = RequestHead(method: method, target: target, headers: headers)
        return try await Answer(api.respond(to: Request(head: head, body: .bytes(Array(body.utf8)))))
    }

    func upload(_ text: String, query: String) async throws -> Answer {
        let head = RequestHead(method: "POST", target: "/v1/jobs/bulk" + query)
        return try await Answer(
            api.respond(to: Request(head: head, body: .stream(BodyStream(Array(text.utf8))))))
    }

    func claim() async throws -> Claim {
        try await store.claim(
            ClaimRequest(worker: worker, slots: 500, running: 0, lease: 30_000, services: [.test]))
    }

    /// Claims what there is and settles it; returns how many jobs that were.
    func work(_ verdict: Verdict = .succeeded) async throws -> Int {
        let claim = try await claim()
        let body = #"{"type":"message","role":"assistant","content":[{"type":"text","text":"positive"}]}"#
        for attempt in claim.attempts {
            let usage = Usage(inputTokens: 21, outputTokens: 4)
            let answer = Jobs.Answer(
                body: Array(body.utf8), model: attempt.route.model, usage: usage, stopReason: "end_turn")
            let isGood: Bool
            switch verdict {
            case .succeeded, .rejected: isGood = true
            default: isGood = false
            }
            _ = try await store.settle(
                Settlement(
                    key: attempt.key, verdict: verdict, routeEvent: .neutral, answer: isGood ? answer : nil,
                    usage: isGood ? usage : nil))
        }
        return claim.attempts.count + claim.settledFromCache
    }
}
