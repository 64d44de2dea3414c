import Jobs
import Synchronization
import TestSupport
import Testing

/// What is told of changes of states: once when one begins, once when it ends, whatever the number of jobs.
@Suite struct NoticeTests {
    private final class Told: Sendable {
        let notices = Mutex<[StateNotice]>([])

        /// What settlements said of shared rows is told by the next that looks at them, at the latest.
        func take(_ harness: StoreHarness) async throws -> [StateNotice] {
            _ = try await harness.route()
            return notices.withLock { notices in
                defer { notices = [] }
                return notices
            }
        }

        func words(_ harness: StoreHarness) async throws -> [String] {
            try await take(harness).map { "\($0.subject.rawValue) \($0.state)" }
        }
    }

    private func told(
        _ tested: StoreUnderTest, _ body: (StoreHarness, Told) async throws -> Void
    ) async throws {
        let told = Told()
        let terms = StoreTerms(onNotice: { notice in told.notices.withLock { $0.append(notice) } })
        try await StoreHarness.run(tested, terms) { harness in
            try await harness.warmUp()
            try await body(harness, told)
        }
    }

    @Test(
        arguments: StoreUnderTest.all,
        [(500, "broken"), (429, "rate_limited"), (401, "credential"), (402, "spend_cap")]
    )
    func `a gate that closes and opens again is told twice`(
        _ tested: StoreUnderTest, _ gate: (status: Int, state: String)
    ) async throws {
        try await told(tested) { harness, told in
            try await harness.enqueue(try Sample.jobs(60))
            for attempt in try await harness.claim(20) {
                try await harness.meet(Sample.refusal(gate.status), attempt)
            }
            let begun = try await told.take(harness)
            #expect(begun.map(\.state) == [gate.state])
            #expect(
                begun.allSatisfy {
                    !$0.isEnd && !$0.cause.isEmpty && !$0.cure.isEmpty && $0.subject == .route
                })
            for _ in 0..<3 {
                harness.clock.advance(120_000)
                for attempt in try await harness.claim(1) {
                    try await harness.meet(Sample.refusal(gate.status), attempt)
                }
            }
            #expect(try await told.take(harness).isEmpty)
            harness.clock.advance(120_000)
            for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
            let ended = try await told.take(harness)
            #expect(ended.map(\.state) == ["open"] && ended.allSatisfy(\.isEnd))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `jobs that are held back, and go on, are told twice`(_ tested: StoreUnderTest) async throws {
        try await told(tested) { harness, told in
            try await harness.enqueue(try Sample.jobs(60))
            for _ in 0..<6 {
                for attempt in try await harness.claim(10) {
                    try await harness.meet(Sample.refusal(400), attempt)
                }
                harness.clock.advance(10)
            }
            #expect(try await told.words(harness) == ["queue held_back"])
            harness.clock.advance(5_000)
            for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
            #expect(try await told.words(harness) == ["queue running"])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a key that is refused, and accepted again, is told twice`(_ tested: StoreUnderTest) async throws {
        try await told(tested) { harness, told in
            var worker = NewWorker(
                name: "old", host: "here", processID: 1, slots: 5, services: [Sample.service])
            worker.fingerprints = [Sample.service: "b"]
            let id = try await harness.store.register(worker)
            try await harness.enqueue(try Sample.jobs(60))
            for _ in 0..<5 {
                for attempt in try await harness.claim(5, as: id) {
                    try await harness.meet(Sample.refusal(401), attempt)
                }
                harness.clock.advance(5_000)
            }
            let begun = try await told.take(harness)
            #expect(begun.map(\.state) == ["refused"] && begun.first?.cause.contains("old") == true)
            for attempt in try await harness.claim(1, as: id) { try await harness.succeed(attempt) }
            #expect(try await told.words(harness) == ["credential accepted"])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a budget that is spent, and has money again, is told twice`(_ tested: StoreUnderTest) async throws {
        try await told(tested) { harness, told in
            let budget = Budget(
                name: "day", scope: .all, window: .day, limit: Money(nanodollars: 1_000_000), alerts: [])
            try await harness.store.configure(budgets: [budget])
            try await harness.enqueue(try Sample.jobs(100))
            for _ in 0..<60 {
                for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
                harness.clock.advance(100)
            }
            #expect(try await told.words(harness) == ["budget spent"])
            harness.clock.advance(86_400_000)
            for attempt in try await harness.claim(1) { try await harness.succeed(attempt) }
            #expect(try await told.words(harness) == ["budget open"])
        }
    }
}
