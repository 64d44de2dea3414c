import Jobs
import SQLite
import Testing

@testable import JobStoreSQLite

/// Changes and lists by filter read what they may find, and not all jobs there are: asked of SQLite's planner.
@Suite struct FilterPlanTests {
    private static let filters = [
        JobFilter(), JobFilter(queue: "q"), JobFilter(model: "m"), JobFilter(queue: "q", model: "m"),
        JobFilter(tag: "t"), JobFilter(batch: BatchID(1)), JobFilter(errorType: "e"),
    ]
    private static let changes: [[JobState]] = [
        [.queued, .running, .review], [.failed, .cancelled], [.failed, .cancelled, .queued],
    ]

    /// The steps of the plan that read `job`.
    private func reads(_ text: String, _ values: [Value], _ connection: Connection) throws -> [String] {
        try connection.query(SQL("EXPLAIN QUERY PLAN " + text), values) { row in row.text(3) }
            .filter { $0.contains(" job ") || $0.hasSuffix(" job") }
    }

    private func isBounded(_ step: String) -> Bool {
        step.hasPrefix("SEARCH job") && !step.contains("INTEGER PRIMARY KEY (rowid>?)")
            && !step.contains("INTEGER PRIMARY KEY (rowid<?)")
    }

    @Test(arguments: filters, changes)
    func `a change by filter never reads the jobs that it cannot change`(
        _ filter: JobFilter, _ states: [JobState]
    ) async throws {
        try await Bench.run(.sqlite) { bench in
            let connection = try Connection(path: bench.directory.database, mode: .read)
            for only in [nil] + states.map(Optional.some) {
                var filter = filter
                filter.state = only
                for after in [nil, JobID(5)] {
                    let selection = FilterSQL(filter).selection(in: states, after: after, limit: 500)
                    let (text, values) = try #require(selection)
                    let reads = try reads(text, values, connection)
                    #expect(reads.count == (only == nil ? states.count : 1))
                    #expect(reads.allSatisfy(isBounded), "\(reads): \(text)")
                }
            }
        }
    }

    @Test(arguments: [JobState.queued, .running, .failed, .cancelled, .review])
    func `a list of a state reads the jobs in it`(_ state: JobState) async throws {
        try await Bench.run(.sqlite) { bench in
            let connection = try Connection(path: bench.directory.database, mode: .read)
            var clause = FilterSQL(JobFilter(state: state))
            clause.add("job.id < ?", .integer(5))
            let text = "SELECT job.id FROM job \(clause.whereClause) ORDER BY job.id DESC LIMIT 50"
            let reads = try reads(text, clause.values, connection)
            #expect(!reads.isEmpty && reads.allSatisfy(isBounded), "\(reads)")
        }
    }

    @Test func `changes by filter find what is in each of their states, in the order of ids`() async throws {
        try await Bench.run(.sqlite) { bench in
            try await bench.warmUp()
            let ids = try await bench.enqueue(try Sample.jobs(12))
            let attempts = try await bench.claim(6)
            for attempt in attempts.prefix(3) { try await bench.meet(Sample.refusal(400), attempt) }
            for id in ids.suffix(2) { _ = try await bench.store.cancel(id, now: bench.now) }
            let found = try await bench.store.retry(
                JobFilter(queue: "default"), change: RetryChange(maxTokens: 9), after: nil, limit: 50,
                now: bench.now)
            #expect(found.count == 9 && found.last == ids.last)
            let rest = try await bench.store.cancel(
                JobFilter(queue: "default"), after: ids[4], limit: 50, now: bench.now)
            #expect(rest.count == 7)
            let none = try await bench.store.cancel(
                JobFilter(state: .succeeded), after: nil, limit: 50, now: bench.now)
            #expect(none.count == 0 && none.last == nil)
        }
    }
}
