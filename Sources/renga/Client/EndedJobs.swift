import JSON
import Jobs

extension ServerClient {
    /// Jobs by their ids, in that order, each once it has ended (or waits for a review).
    ///
    /// Some are asked for at a time, so that a long list takes no longer than it must.
    func ended(_ ids: some Collection<JobID>, _ body: (JSON) async throws -> Void) async throws {
        var rest = ids[...]
        while !rest.isEmpty {
            let group = rest.prefix(16)
            rest = rest.dropFirst(16)
            let jobs = try await withThrowingTaskGroup(of: (Int, JSON).self) { tasks in
                for (index, id) in group.enumerated() { tasks.addTask { (index, try await ended(id)) } }
                return try await tasks.reduce(into: [Int: JSON]()) { $0[$1.0] = $1.1 }
            }
            for index in 0..<group.count {
                if let job = jobs[index] { try await body(job) }
            }
        }
    }

    private func ended(_ id: JobID) async throws -> JSON {
        var retry = ServerRetry(hasAnswered: true)
        while true {
            let job = try await retry.trying {
                try await call("GET", "/v1/jobs/\(id)", query: [("wait", "30")])
            }
            let state = JobState(rawValue: job.text("state"))
            if state?.isTerminal ?? true || state == .review { return job }
        }
    }
}
