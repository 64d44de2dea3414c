import JobStoreSQLite
import Jobs
import TestSupport
import Testing

@testable import StoreConformance

@Suite struct CalendarTests {
    private static let day: Milliseconds = 86_400_000
    private static let patience: Milliseconds = 600_000

    /// A process that is patient, by a clock of its own or by the others'.
    private func another(_ harness: StoreHarness, clock: HandClock) async throws -> SQLiteJobStore {
        try await harness.file.openFile(clock: clock, patience: Self.patience)
    }

    private func ahead(_ now: Now, by offset: Milliseconds) -> Now {
        Now(timestamp: now.timestamp + offset, moment: now.moment)
    }

    @Test func `a process whose calendar disagrees deletes and ends nothing`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            try await harness.warmUp()
            let late = try await harness.enqueue([
                try Sample.job("late") {
                    $0.deadline = harness.now.timestamp + 20 * Self.day
                    $0.runAt = harness.now.timestamp + 19 * Self.day
                }
            ])
            harness.clock.advance(60 * Self.day)
            harness.clock.time.disagreement = 60 * Self.day
            #expect(try await harness.store.prune(olderThan: 30 * Self.day) == Pruning())
            #expect(try await harness.store.reap().expiredDeadlines == 0)
            #expect(try await harness.store.count(JobFilter(state: .succeeded)) == 1)
            #expect(try await harness.states(late) == [.queued])
            // Agreed on, the same happens as ever.
            harness.clock.time.disagreement = 0
            #expect(try await harness.store.reap().expiredDeadlines == 1)
            #expect(try await harness.store.prune(olderThan: 30 * Self.day).jobs == 1)
            harness.isPruned = true
        }
    }

    @Test func `what the processes agree on is kept, and who contradicts it is told of`()
        async throws
    {
        try await StoreHarness.run(.sqlite) { harness in
            let store = try await another(harness, clock: harness.clock)
            try await store.attest()
            #expect(store.now() == harness.now)
            let wrong = HandClock(ahead(harness.now, by: 40 * Self.day))
            let other = try await another(harness, clock: wrong)
            try await other.attest()
            #expect(other.now().timestamp == harness.now.timestamp)
            #expect(other.now().disagreement == 40 * Self.day)
            await other.close()
            harness.clock.advance(5_000)
            let dispute = try await store.stats().calendar
            #expect(dispute == CalendarDispute(offset: 40 * Self.day, age: 5_000))
            // Contradicted, it is told of for as long as it is made.
            try await store.attest()
            #expect(try await store.stats().calendar?.age == 0)
            harness.clock.advance(AgreedCalendar.longestSilence)
            #expect(try await store.stats().calendar == nil)
            await store.close()
        }
    }

    @Test func `a correction makes nothing that is kept older than it is`() async throws {
        try await StoreHarness.run(.sqlite, StoreTerms(cacheTTL: 20 * Self.day)) { harness in
            let store = try harness.sqlite
            harness.isPruned = true
            try await store.attest()
            try await harness.warmUp()
            harness.clock.time.timestamp = harness.now.timestamp + 400 * Self.day
            try await store.attest()
            let prune = { try await store.prune(olderThan: 30 * Self.day) }
            #expect(try await prune() == Pruning())
            harness.clock.advance(29 * Self.day)
            #expect(try await prune() == Pruning())
            harness.clock.advance(2 * Self.day)
            #expect(try await prune().jobs == 1)
        }
    }

    @Test func `a calendar that goes back by a correction holds no retry`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let store = try harness.sqlite
            let right = harness.now
            harness.clock.time.timestamp = harness.now.timestamp + 40 * Self.day
            try await store.attest()
            try await harness.warmUp()
            let ids = try await harness.enqueue("a")
            try await harness.settle(
                try await harness.claimOne().key,
                .again(
                    after: 60_000, JobError(type: "api_error", message: "no", retryable: true),
                    .counted))
            harness.clock.time = right
            try await store.attest()
            harness.clock.advance(1)
            #expect(try await harness.claim(1).map(\.key.job) == ids)
        }
    }

    @Test func `a jump of the calendar alone forgets no worker`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            let other = try await another(harness, clock: HandClock(ahead(harness.now, by: 3 * Self.day)))
            _ = try await other.register(NewWorker(name: "other", host: "here", processID: 3, slots: 1))
            await other.close()
            #expect(try await harness.store.stats().workers.map(\.name).contains("bench"))
        }
    }
}
