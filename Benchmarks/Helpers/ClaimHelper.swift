import JobStoreSQLite
import Jobs
import System

/// A worker without calls: claims a hundred at a time, settles each by itself, until nothing is queued.
///
/// Answers with `done JOBS FIRST LAST CPU`: two moments of the machine's uptime in milliseconds, and processor seconds.
struct ClaimHelper {
    private let path: String
    private let clock = SystemClock()

    init(_ words: [String]) throws {
        guard words.count == 2 else { throw Trouble("claim wants a path") }
        path = words[1]
    }

    func run() async throws {
        let store = try await SQLiteJobStore(path: path)
        let worker = try await store.register(
            NewWorker(name: "bench:\(processID)", host: "bench", processID: processID, slots: 100), now: now)
        Helper.report("ready")
        Helper.waitForWord()
        let cpu = processCPUSeconds()
        let first = clock.uptimeMilliseconds()
        let jobs = try await work(worker, store)
        Helper.report("done \(jobs) \(first) \(clock.uptimeMilliseconds()) \(processCPUSeconds() - cpu)")
        await store.close()
    }

    private func work(_ worker: WorkerID, _ store: SQLiteJobStore) async throws -> Int {
        let request = ClaimRequest(
            worker: worker, slots: 100, running: 0, lease: 30_000, services: [Sample.service()])
        var jobs = 0
        while true {
            let attempts = try await store.claim(request, now: now).attempts
            if attempts.isEmpty {
                guard try await store.count(JobFilter(state: .queued)) > 0 else { return jobs }
                try await Task.sleep(for: .milliseconds(1))
                continue
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for attempt in attempts {
                    group.addTask { _ = try await store.settle(Sample.success(attempt), now: now) }
                }
                try await group.waitForAll()
            }
            jobs += attempts.count
        }
    }

    private var now: Now {
        Now(
            timestamp: Timestamp(milliseconds: clock.timestampMilliseconds()),
            moment: Moment(boot: clock.bootID, milliseconds: clock.uptimeMilliseconds()))
    }
}
