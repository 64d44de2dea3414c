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
        guard words.count == 2 else { throw BenchmarkError("claim wants a path") }
        path = words[1]
    }

    func run() async throws {
        let store = try await SQLiteJobStore(path: path, clock: MachineClock())
        let worker = try await store.register(
            NewWorker(name: "context:\(processID)", host: "bench", processID: processID, slots: 100)
        )
        Helper.report("ready")
        Helper.waitForWord()
        let cpu = processCPUSeconds()
        let first = clock.uptimeMilliseconds()
        let jobs = try await Claiming(store: store, worker: worker).drain()
        Helper.report("done \(jobs) \(first) \(clock.uptimeMilliseconds()) \(processCPUSeconds() - cpu)")
        await store.close()
    }
}
