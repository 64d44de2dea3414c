import Jobs

extension BenchmarkContext {
    /// Puts jobs into a store, 500 a call.
    func fill(_ store: any WholeStore, _ count: Int, from first: Int = 0, for service: ServiceKey)
        async throws
    {
        for start in stride(from: first, to: first + count, by: 500) {
            let jobs = try Sample.jobs(start..<min(first + count, start + 500), for: service)
            _ = try await store.enqueue(jobs, atomically: false)
        }
    }
}
