import Foundation
import JSON
import JobStoreSQLite
import Jobs
import Telemetry
import Testing
import Worker
import TestSupport

/// Workers over the store on disk, as they run in production but for the provider.
@Suite(.timeLimit(.minutes(1))) struct RealStoreTests {
    @Test func `Two workers finish a backlog, each job called once`() async throws {
        try await withStore { store in
            let ids = try await enqueue(1...200, into: store)
            let caller = FakeCaller()
            let workers = ["a", "b"].map { worker($0, store, caller) }
            let running = workers.map { worker in Task { try await worker.run() } }
            try await finished(ids, in: store)
            for run in running { run.cancel() }
            for run in running { try await run.value }
            #expect(Set(caller.tally.now.begun.map(\.job)) == Set(ids))
            #expect(caller.tally.now.begun.count == ids.count)
        }
    }

    @Test func `What a worker that died held is finished by another after its leases ended`() async throws {
        try await withStore { store in
            let ids = try await enqueue(1...3, into: store)
            let dying = FakeCaller.endless()
            let first = worker("dying", store, dying, lease: 3000)
            let run = Task { try await first.run() }
            #expect(await dying.tally.reaches { !$0.inFlight.isEmpty })
            first.stopNow()
            try await run.value
            let caller = FakeCaller()
            let second = worker("heir", store, caller, lease: 1000)
            let heir = Task { try await second.run() }
            try await finished(ids, in: store)
            heir.cancel()
            try await heir.value
            let lost = try #require(dying.tally.now.begun.first)
            let history = try #require(try await store.attempts(of: lost.job))
            #expect(history.map(\.status) == [.writtenOff, .settled])
            #expect(history.last?.worker == "heir")
        }
    }

    @Test func `A job that is cancelled while its call runs has the call aborted`() async throws {
        try await withStore { store in
            let ids = try await enqueue(1...1, into: store)
            let caller = FakeCaller.endless()
            let worker = worker("w", store, caller)
            let run = Task { try await worker.run() }
            #expect(await caller.tally.reaches { $0.inFlight.count == 1 })
            #expect(try await store.cancel(ids[0]) == .changed)
            #expect(await caller.tally.reaches { $0.aborted.count == 1 })
            run.cancel()
            try await run.value
            #expect(try await store.job(ids[0])?.state == .cancelled)
        }
    }

    @Test func `Calls handed back by a worker that stops are made by the next`() async throws {
        try await withStore { store in
            let ids = try await enqueue(1...1, into: store)
            let first = FakeCaller.endless()
            let run = Task { [worker = worker("a", store, first)] in try await worker.run() }
            #expect(await first.tally.reaches { $0.inFlight.count == 1 })
            run.cancel()
            try await run.value
            let next = Task { [worker = worker("b", store, FakeCaller())] in try await worker.run() }
            try await finished(ids, in: store)
            next.cancel()
            try await next.value
            #expect(try await store.job(ids[0])?.attemptsCounted == 1)
        }
    }

    private func worker(
        _ name: String, _ store: any JobStore, _ caller: FakeCaller,
        lease: Milliseconds = 30_000
    ) -> Worker {
        let settings = WorkerSettings(
            name: name, host: "h", processID: 1, slots: 4, lease: lease, grace: 0,
            retry: RetryPolicy(base: 10, cap: 20))
        return Worker(store: store, caller: caller, settings: settings, log: .silent)
    }

    private func enqueue(_ numbers: ClosedRange<Int>, into store: any JobStore) async throws -> [JobID] {
        let jobs = try numbers.map { number in
            let request = Array(
                #"{"model":"m","max_tokens":64,"messages":[{"role":"user","content":"\#(number)"}]}"#.utf8)
            return NewJob(
                queue: "default", request: request, route: RouteKey(service: FakeCaller.service, model: "m"),
                maxTokens: 64, promptHash: PromptHash(request: try JSON.parse(request)),
                fingerprint: Array("\(number)".utf8))
        }
        // The limits of a route are not known until an answer names them, and one call flies until then.
        let limits = RouteLimits(requests: 1_000_000, inputTokens: 1_000_000_000, outputTokens: 1_000_000_000)
        try await store.configure(route: RouteKey(service: FakeCaller.service, model: "m"), limits: limits)
        return try await store.enqueue(jobs, atomically: true).compactMap(\.id)
    }

    /// Waits on the store's own changes until all of the jobs have succeeded; the suite's limit bounds it.
    private func finished(_ ids: [JobID], in store: any JobStore) async throws {
        let changes = store.changes()
        for await _ in changes.starting()
        where try await store.states(of: ids).values.allSatisfy({ $0 == .succeeded }) {
            return
        }
    }

    private func withStore(_ body: (any JobStore) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "renga-worker-" + UUID().uuidString
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
