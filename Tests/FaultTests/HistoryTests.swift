import Foundation
import HTTPClient
import JSON
import JobStoreSQLite
import Jobs
import Models
import Telemetry
import Testing
import Worker
import TestSupport

/// What remains of a fault in the job's history: all rows of the table at once, by one worker over a store on disk.
@Suite(.timeLimit(.minutes(3))) struct HistoryTests {
    @Test func `A fault leaves the history that the table says, and a job that is done where it can be`()
        async throws
    {
        // As many as there are calls: a connection that is kept for its next call is not dropped for another's.
        let client = HTTPClient(maxConnections: 2000)
        defer { client.shutdown() }
        try await withStore { store in
            let cases = try await Fault.table.flatMap { fault in fault.calls.map { (fault, $0) } }
                .concurrently { fault, kind in try await Case(fault, kind, client, store) }
            let worker = Worker(
                store: store, caller: DispatchingCaller(cases.map(\.upstream.caller)),
                settings: WorkerSettings(
                    name: "w", host: "h", processID: 1, slots: 64, grace: 0, retry: Judgement.policy),
                log: .silent)
            let running = Task { try await worker.run() }
            for await _ in store.changes().starting() where try await cases.areOver(in: store) {
                break
            }
            for item in cases { try await item.check(store) }
            worker.stopNow()
            try await running.value
            for item in cases { await item.upstream.stop() }
        }
    }

    private func withStore(_ body: (any JobStore) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "renga-faults-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try await SQLiteJobStore(path: path + "/renga.db", clock: MachineClock())
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

/// A row, called in one way, as a job.
private struct Case: Sendable {
    let fault: Fault
    let kind: CallKind
    let upstream: Upstream
    let job: JobID
    let worstCase: Money

    init(_ fault: Fault, _ kind: CallKind, _ client: HTTPClient, _ store: any JobStore) async throws {
        self.fault = fault
        self.kind = kind
        upstream = try Upstream(fault, kind, client)
        let request = upstream.request
        let json = try JSON.parse(request)
        let bound = CostBound(request: json)
        let price = try #require(PriceTable.price(of: Upstream.model))
        worstCase = try #require(price.worstCase(bound, maxTokens: 256))
        let new = NewJob(
            queue: "\(fault.name), \(kind)", request: request, route: upstream.route, maxTokens: 256,
            bound: bound, promptHash: PromptHash(request: json), fingerprint: request)
        let outcomes = try await store.enqueue([new], atomically: true)
        job = try #require(outcomes.first?.id)
    }

    /// The words of its attempts, so far as the table tells them.
    func isOver(_ attempts: [Attempt]) -> Bool {
        attempts.filter { $0.status != .open }.count >= fault.history.split(separator: ",").count
    }

    func check(_ store: any JobStore) async throws {
        let attempts = try #require(try await store.attempts(of: job))
        let words = attempts.compactMap(\.verdict).prefix(fault.history.split(separator: ",").count)
        #expect(words.joined(separator: ", ") == fault.history, "\(fault.name): \(kind)")
        let first = try #require(attempts.first)
        switch fault.money {
        case .known: #expect(first.unconfirmedCost == .zero, "\(fault.name): \(kind)")
        case .unconfirmedCost:
            #expect(first.cost + first.unconfirmedCost == worstCase, "\(fault.name): \(kind)")
        }
        #expect(first.counted == (Self.isCounted(fault) || Self.hadBegun(first)), "\(fault.name): \(kind)")
        let found = try #require(try await store.job(job))
        #expect(found.state == ending ?? found.state, "\(fault.name): \(kind)")
    }

    /// The answer was cut: that counts, also where nothing else runs.
    private static func hadBegun(_ attempt: Attempt) -> Bool {
        let forgiven = ["malformed_answer", "overloaded_error"]
        return attempt.verdict == "again" && attempt.usage != nil
            && !forgiven.contains(attempt.error?.type ?? "")
    }

    /// No other job is on its route, so that an outage is nobody's fault.
    private static func isCounted(_ fault: Fault) -> Bool {
        ["succeeded", "failed"].contains { fault.verdict.hasPrefix($0) }
            || fault.verdict.contains(", counted")
    }

    /// Nil where it goes on, or waits for longer than a test.
    var ending: JobState? {
        fault.history.hasSuffix("succeeded") ? .succeeded : fault.history.hasSuffix("failed") ? .failed : nil
    }
}

extension [Case] {
    fileprivate func areOver(in store: any JobStore) async throws -> Bool {
        let states = try await store.states(of: map(\.job))
        // Cheap to ask first: most end.
        for item in self where item.ending != nil && states[item.job]?.isTerminal != true { return false }
        for item in self where item.ending == nil {
            guard let attempts = try await store.attempts(of: item.job), item.isOver(attempts) else {
                return false
            }
        }
        return true
    }
}

extension Array where Element: Sendable {
    /// Maps all elements at once, a few at a time; in no order.
    fileprivate func concurrently<Result: Sendable>(
        _ body: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: Result.self) { group in
            for element in self { group.addTask { try await body(element) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
