import HTTPServer
import JSON
import Jobs
import Telemetry
import Testing

@testable import API

@Suite("Waiting for jobs", .timeLimit(.minutes(1)))
struct WaitTests {
    let harness = Harness()

    /// Runs the API's watcher beside the body.
    private func watching(_ body: () async throws -> Void) async throws {
        let api = harness.api
        let watcher = Task { await api.run() }
        while harness.store.look({ $0.listeners.isEmpty }) { await Task.yield() }
        defer { watcher.cancel() }
        try await body()
    }

    private func someoneWaits(_ count: Int = 1) async {
        while await harness.api.waiters.count < count { await Task.yield() }
    }

    @Test("POST with wait answers 200 with the finished job")
    func postWaits() async throws {
        try await watching {
            async let answer = harness.send("POST", "/v1/jobs?wait=60", #"{"prompt":"x"}"#)
            await someoneWaits()
            let id = try #require(harness.store.look { $0.jobs.keys.first })
            harness.store.finish(id)
            let finished = try await answer
            #expect(finished.status == 200)
            #expect(finished["text"]?.string == "positive")
            #expect(finished["state"]?.string == "succeeded")
            #expect(finished["request"]?["messages"] != nil)
        }
    }

    @Test("when the time is up the job is answered as it stands")
    func timeUp() async throws {
        let posted = try await harness.send("POST", "/v1/jobs?wait=10ms", #"{"prompt":"x"}"#)
        #expect(posted.status == 202)
        let shown = try await harness.send("GET", "/v1/jobs/\(posted["id"]?.string ?? "")?wait=0.01")
        #expect(shown.status == 200)
        #expect(shown["state"]?.string == "queued")
        #expect(await harness.api.waiters.count == 0)
    }

    @Test("a job that has ended is answered at once")
    func ended() async throws {
        let id = try await harness.job()
        harness.store.finish(id, as: .failed)
        let answer = try await harness.send("GET", "/v1/jobs/\(id)?wait=60")
        #expect(answer["error"]?["type"]?.string == "api_error")
    }

    @Test("a list waits for all of its jobs")
    func list() async throws {
        try await watching {
            async let answer = harness.send(
                "POST", "/v1/jobs?wait=60", #"{"jobs":[{"prompt":"1"},{"prompt":"2"}]}"#)
            await someoneWaits()
            for id in harness.store.look({ Array($0.jobs.keys) }) { harness.store.finish(id) }
            let finished = try await answer
            #expect(finished.status == 200)
            #expect(finished["data"]?[1]?["text"]?.string == "positive")
        }
    }

    @Test("a hundred who wait are woken by few reads")
    func together() async throws {
        let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
            for _ in 0..<100 { group.addTask { try await harness.job() } }
            return try await group.reduce(into: [JobID]()) { $0.append($1) }
        }
        try await watching {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for id in ids {
                    group.addTask { try await harness.api.waiters.wait(for: [id], milliseconds: 60_000) }
                }
                await someoneWaits(100)
                for id in ids { harness.store.finish(id) }
                for try await isDone in group { #expect(isDone) }
            }
            // 100 first reads, and a few for all 100 changes.
            #expect(harness.store.look { $0.stateReads } < 200)
        }
    }

    @Test("whoever hangs up leaves nothing behind")
    func hangUp() async throws {
        let id = try await harness.job()
        let waiters = harness.api.waiters
        let waiting = Task { try await waiters.wait(for: [id], milliseconds: 60_000) }
        await someoneWaits()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(await waiters.count == 0)
    }

    @Test("a wait beyond the limit, or none, is refused", arguments: ["61", "2m", "x", "-1"])
    func bounds(wait: String) async throws {
        let answer = try await harness.send("POST", "/v1/jobs?wait=\(wait)", #"{"prompt":"x"}"#)
        #expect(answer.problem == "invalid-parameter")
        #expect(answer["limit"]?.int == 60)
    }
}
