import HTTPClient
import JobStoreSQLite
import Jobs

/// A backlog, one `renga work`, one `renga simulate`: from the first claim to the last settlement.
struct EndToEnd {
    let context: BenchmarkContext
    var jobs: Int
    var slots: Int
    var latency: String
    /// What the provider's headers say; without, it says nothing of limits.
    var requestsPerMinute = 0
    /// Jobs done before those that are measured: what is to be known of the provider's limits is then known.
    var earlier = 0

    struct Outcome {
        var finished: Finished
        var worker: ProcessFacts
        var simulatorCPUSeconds: Double

        /// For a note.
        var processorTime: String {
            let jobs = Double(finished.jobs)
            let worker = Table.number(worker.cpuSeconds / jobs * 1e6)
            let simulator = Table.number(simulatorCPUSeconds / jobs * 1e6)
            return "processor time a job: worker \(worker) µs, simulator \(simulator) µs"
        }
    }

    func run(name: String) async throws -> Outcome {
        let path = context.database(name)
        let simulator = try await context.simulator(latency: latency, requestsPerMinute: requestsPerMinute)
        let store = try await SQLiteJobStore(path: path, clock: MachineClock())
        let service = Sample.service(at: simulator.url)
        if earlier > 0 {
            try await context.fill(store, earlier, for: service)
            let worker = try context.worker(database: path, provider: simulator.url, slots: slots, log: name)
            try await wait(for: earlier, in: store, worker)
            await worker.stop()
        }
        try await context.fill(store, jobs, from: earlier, for: service)
        let before = try simulator.child.facts()
        let worker = try context.worker(database: path, provider: simulator.url, slots: slots, log: name)
        try await wait(for: earlier + jobs, in: store, worker)
        let facts = try worker.facts()
        let simulated = try simulator.child.facts().cpuSeconds - before.cpuSeconds
        await worker.stop()
        await simulator.child.stop()
        await store.close()
        return Outcome(
            finished: try Finished(database: path, after: earlier), worker: facts,
            simulatorCPUSeconds: simulated)
    }

    /// Looks ten times a second, at a count that the store keeps anyway.
    private func wait(for jobs: Int, in store: SQLiteJobStore, _ worker: Child) async throws {
        for _ in 0..<1_800 {
            let counts = try await store.queue("bench")?.counts ?? StateCounts()
            if counts.succeeded == jobs { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchmarkError(
            "not finished after three minutes; the worker says:\n\(worker.output.suffix(2_000))")
    }
}
