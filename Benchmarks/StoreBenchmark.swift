import JSON
import JobStoreSQLite
import Jobs
import System

/// What the store does by itself, in one process, each commit synced to disk.
struct StoreBenchmark {
    let directory: String
    let clock = SystemClock()
    let service = ServiceKey(
        provider: "anthropic", endpoint: "http://127.0.0.1:1", credential: "ANTHROPIC_API_KEY",
        simulated: true)

    func run() async throws -> [Figure] {
        let store = try await SQLiteJobStore(path: directory + "/store.db")
        let jobs = 20_000
        let enqueued = try await rate(of: jobs) { try await enqueue(jobs, into: store) }
        let settled = try await rate(of: jobs) { try await claimAndSettle(jobs, from: store) }
        await store.close()
        return [
            Figure(what: "bulk enqueue through the store, 500 a call", value: enqueued, unit: "jobs/s"),
            Figure(what: "claim 100 at a time, settle each", value: settled, unit: "jobs/s"),
        ]
    }

    private var now: Now {
        Now(
            timestamp: Timestamp(milliseconds: clock.timestampMilliseconds()),
            moment: Moment(boot: clock.bootID, milliseconds: clock.uptimeMilliseconds()))
    }

    private func rate(of count: Int, _ body: () async throws -> Void) async throws -> Double {
        let clock = ContinuousClock()
        let duration = try await clock.measure { try await body() }
        return Double(count) / (duration / .seconds(1))
    }

    private func enqueue(_ count: Int, into store: any JobStore) async throws {
        for start in stride(from: 0, to: count, by: 500) {
            _ = try await store.enqueue((start..<start + 500).map(job), atomically: false, now: now)
        }
    }

    private func job(_ number: Int) throws -> NewJob {
        let padding = String(repeating: "x", count: 380)
        let request = Array(
            #"{"model":"claude-haiku-4-5-20251001","max_tokens":64,"messages":[{"role":"user","content":"\#(number)\#(padding)"}]}"#
                .utf8)
        return NewJob(
            queue: "bench", request: request,
            route: RouteKey(service: service, model: "claude-haiku-4-5-20251001"),
            maxTokens: 64, promptHash: PromptHash(request: try JSON.parse(request)),
            fingerprint: [UInt8(number & 0xff)])
    }

    private func claimAndSettle(_ count: Int, from store: any JobStore) async throws {
        let worker = try await store.register(
            NewWorker(name: "bench", host: "bench", processID: 1, slots: 100), now: now)
        var done = 0
        while done < count {
            let request = ClaimRequest(
                worker: worker, slots: 100, running: 0, lease: 30_000, services: [service])
            let attempts = try await store.claim(request, now: now).attempts
            try await withThrowingTaskGroup(of: Void.self) { group in
                for attempt in attempts {
                    group.addTask { _ = try await store.settle(success(attempt), now: now) }
                }
                try await group.waitForAll()
            }
            done += attempts.count
        }
    }

    private func success(_ attempt: ClaimedAttempt) -> Settlement {
        let body = #"{"type":"message","content":[{"type":"text","text":"positive"}]}"#
        let answer = Answer(
            body: Array(body.utf8), model: attempt.route.model,
            usage: Usage(inputTokens: 100, outputTokens: 4),
            stopReason: "end_turn")
        return Settlement(key: attempt.key, verdict: .succeeded, routeEvent: .succeeded, answer: answer)
    }
}
