import Jobs
import Testing

@testable import JobStoreSQLite
@testable import SQLite

/// Changes and lists by filter read what they may find, and not all jobs there are: asked of SQLite's planner.
@Suite struct FilterPlanTests {
    private static func filters(_ batch: BatchID) -> [JobFilter] {
        [
            JobFilter(), JobFilter(queue: "default"), JobFilter(model: Sample.model),
            JobFilter(queue: "default", model: Sample.model), JobFilter(tag: "t"), JobFilter(customID: "k"),
            JobFilter(queue: "default", customID: "k"), JobFilter(queue: "default", tag: "t"),
            JobFilter(batch: batch), JobFilter(batch: batch, tag: "t"),
            JobFilter(errorType: "invalid_request_error"),
            JobFilter(queue: "default", tag: "t", errorType: "invalid_request_error"),
        ]
    }
    private static let states: [[JobState]] =
        [
            JobState.allCases, [.queued, .running, .review], [.failed, .cancelled],
            [.failed, .cancelled, .queued],
        ]
        + JobState.allCases.map { [$0] }

    private static func plan(_ sql: SQL, _ values: [Value], _ connection: Connection) throws -> [String] {
        try connection.query(SQL("EXPLAIN QUERY PLAN " + sql.text), values) { row in row.text(3) }
    }

    /// Jobs in each state, some with all that can be filtered by.
    @discardableResult
    private static func fill(_ harness: StoreHarness) async throws -> BatchID {
        try await harness.warmUp()
        let batch = try await harness.store.createBatch(name: "b", metadata: nil).id
        let checked = try Sample.job("checked") { job in
            job.check = NewCheck(
                rules: Array(#"{"labels":["positive"],"on_fail":"review"}"#.utf8), routes: [])
        }
        let plain = try (0..<20).map { number in
            try Sample.job("plain \(number)") { job in
                job.tags = ["t"]
                job.batch = batch
                if number == 7 { job.customID = "k" }
            }
        }
        let ids = try await harness.enqueue([checked] + plain)
        let attempts = try await harness.claim(5)
        let failed = Sample.answer("no label")
        let checkedAttempt = try #require(attempts.first { $0.key.job == ids[0] })
        let others = attempts.filter { $0.key.job != ids[0] }
        let review = Decision(verdict: .succeeded, routeEvent: .succeeded).checked(failed, of: checkedAttempt)
        _ = try await harness.store.settle(
            Settlement(
                key: checkedAttempt.key, verdict: review.verdict, routeEvent: review.routeEvent,
                answer: failed))
        try await harness.succeed(others[0])
        try await harness.meet(Sample.refusal(400, type: "invalid_request_error"), others[1])
        _ = try await harness.store.cancel(ids[20])
        let counts = try await harness.store.stats().counts
        #expect(JobState.allCases.allSatisfy { counts[$0] > 0 }, "\(counts)")
        return batch
    }

    @Test func `no search reads jobs one by one that it cannot find, nor sorts what it found`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let batch = try await Self.fill(harness)
            let connection = try Connection(path: harness.directory.database, mode: .read)
            for filter in Self.filters(batch) {
                for states in Self.states {
                    for walk in try Search(filter, in: states, connection).ways().joined() {
                        for sql in [walk.selection(.ascending), walk.selection(.descending), walk.counting()]
                        {
                            try Self.check(sql, of: walk, filter, states, connection)
                        }
                    }
                }
            }
        }
    }

    private static func check(
        _ sql: SQL, of walk: Walk, _ filter: JobFilter, _ states: [JobState], _ connection: Connection
    ) throws {
        let start = try #require(walk.starts.first)
        let values =
            walk.values(from: start, within: 1...9)
            + (sql.text.hasPrefix("SELECT count") ? [] : [.integer(5)])
        let plan = try plan(sql, values, connection)
        // Queues, lanes and routes are few.
        let few = ["SCAN queue", "SCAN lane", "SCAN route"]
        let scans = plan.filter { step in step.hasPrefix("SCAN") && !few.contains(where: step.hasPrefix) }
        let ranges = plan.filter { $0.contains("INTEGER PRIMARY KEY (rowid>?") }
        let sorts = plan.filter { $0.contains("TEMP B-TREE") }
        // The jobs of one key, one of each queue, are sorted; all jobs are met one by one only where all are wanted.
        let wantsAll = filter == JobFilter() && states == JobState.allCases
        #expect(scans.isEmpty, "\(plan): \(sql.text)")
        #expect(filter.customID != nil || sorts.isEmpty, "\(plan): \(sql.text)")
        #expect(ranges.isEmpty != wantsAll, "\(plan): \(sql.text)")
    }

    @Test func `of a queue, a model or a state only lanes are read that have such jobs`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await Self.fill(harness)
            try await harness.enqueue([try Sample.job("elsewhere", queue: "other")])
            let connection = try Connection(path: harness.directory.database, mode: .read)
            func starts(_ filter: JobFilter) throws -> [Int] {
                try #require(try Search(filter, connection).ways().first).map(\.starts.count)
            }
            #expect(try starts(JobFilter(queue: "other")) == [1])
            #expect(try starts(JobFilter(state: .succeeded, queue: "other")).isEmpty)
            #expect(try starts(JobFilter(state: .queued)) == [2])
            #expect(try starts(JobFilter(model: "unheard of")).isEmpty)
        }
    }

    @Test func `a rare tag is tried first by itself, a common one with a rare state by the state`()
        async throws
    {
        try await StoreHarness.run(.sqlite) { harness in
            try await Self.fill(harness)
            try await harness.enqueue([try Sample.job("other") { $0.tags = ["rare"] }])
            let connection = try Connection(path: harness.directory.database, mode: .read)
            func column(_ filter: JobFilter) throws -> [String] {
                try #require(try Search(filter, connection).ways().first).map(\.id)
            }
            #expect(try column(JobFilter(state: .queued, tag: "rare")) == ["job_tag.job_id"])
            #expect(try column(JobFilter(state: .failed, tag: "t")) == ["job.id"])
            #expect(try column(JobFilter(tag: "t")) == ["job_tag.job_id"])
        }
    }

    @Test func `changes by filter find what is in each of their states, in the order of ids`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            let ids = try await harness.enqueue(try Sample.jobs(12))
            let attempts = try await harness.claim(6)
            for attempt in attempts.prefix(3) { try await harness.meet(Sample.refusal(400), attempt) }
            for id in ids.suffix(2) { _ = try await harness.store.cancel(id) }
            let found = try await harness.store.retry(
                JobFilter(queue: "default"), change: RetryChange(maxTokens: 9), after: nil, limit: 50)
            #expect(found.count == 9 && found.last == ids.last)
            let rest = try await harness.store.cancel(JobFilter(queue: "default"), after: ids[4], limit: 50)
            #expect(rest.count == 7)
            let none = try await harness.store.cancel(JobFilter(state: .succeeded), after: nil, limit: 50)
            #expect(none.count == 0 && none.last == nil)
        }
    }
}
