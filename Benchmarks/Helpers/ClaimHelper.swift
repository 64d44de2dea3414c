import Jobs
import System

/// A worker without calls: claims a hundred at a time, or as many as it is told, settles each by itself, until nothing is queued.
///
/// Answers with `claims …` and `settlements …`, the milliseconds that each took, and then `done JOBS FIRST LAST CPU`: two moments of the
/// machine's uptime in milliseconds, and processor seconds.
struct ClaimHelper {
    private let database: String
    private let slots: Int
    private let clock = SystemClock()

    init(_ words: [String]) throws {
        guard words.count == 3, let slots = Int(words[2]), slots > 0 else {
            throw BenchmarkError("claim wants a database and how many jobs a claim takes")
        }
        database = words[1]
        self.slots = slots
    }

    func run() async throws {
        let store = try await openStore(database)
        let worker = try await store.register(
            NewWorker(name: "context:\(processID)", host: "bench", processID: processID, slots: slots)
        )
        Helper.report("ready")
        Helper.waitForWord()
        let cpu = processCPUSeconds()
        let first = clock.uptimeMilliseconds()
        let done = try await Claiming(store: store, worker: worker, slots: slots).drain()
        Helper.report(
            done, from: first, to: clock.uptimeMilliseconds(), cpuSeconds: processCPUSeconds() - cpu)
        await store.close()
    }
}
