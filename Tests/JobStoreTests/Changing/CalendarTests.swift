import JobStoreSQLite
import Jobs
import TestSupport
import Testing

@Suite struct CalendarTests {
    private static let day: Milliseconds = 86_400_000
    private static let patience: Milliseconds = 600_000

    private func sqlite(_ harness: StoreHarness) throws -> SQLiteJobStore {
        try #require(harness.store as? SQLiteJobStore)
    }

    /// A process whose clock says something else.
    private func another(_ harness: StoreHarness, clock: HandClock) async throws -> SQLiteJobStore {
        let store = try await harness.backend.open(
            harness.directory, clock: clock, calendarPatience: Self.patience)
        return try #require(store as? SQLiteJobStore)
    }

    private func ahead(_ now: Now, by offset: Milliseconds) -> Now {
        Now(timestamp: now.timestamp + offset, moment: now.moment)
    }

    @Test(arguments: Backend.allCases)
    func `a process whose calendar disagrees deletes and ends nothing`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let late = try await harness.enqueue([
                try Sample.job("late") {
                    $0.deadline = harness.now.timestamp + 20 * Self.day
                    $0.runAt = harness.now.timestamp + 19 * Self.day
                }
            ])
            harness.clock.advance(60 * Self.day)
            harness.clock.time.disagreement = 60 * Self.day
            let cutoff = harness.now.timestamp + -(30 * Self.day)
            #expect(try await harness.store.prune(finishedBefore: cutoff) == Pruning())
            #expect(try await harness.store.reap().expiredDeadlines == 0)
            #expect(try await harness.store.count(JobFilter(state: .succeeded)) == 1)
            #expect(try await harness.states(late) == [.queued])
            // Agreed on, the same happens as ever.
            harness.clock.time.disagreement = 0
            #expect(try await harness.store.reap().expiredDeadlines == 1)
            #expect(try await harness.store.prune(finishedBefore: cutoff).jobs == 1)
            harness.isPruned = true
        }
    }

    @Test(arguments: Backend.allCases)
    func `what the processes agree on is kept, and who contradicts it is told of`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend, calendarPatience: Self.patience) { harness in
            let store = try sqlite(harness)
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
        }
    }

    @Test(arguments: Backend.allCases)
    func `a correction makes nothing that is kept older than it is`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend, cacheTTL: 20 * Self.day) { harness in
            let store = try sqlite(harness)
            harness.isPruned = true
            try await store.attest()
            try await harness.warmUp()
            harness.clock.time.timestamp = harness.now.timestamp + 400 * Self.day
            try await store.attest()
            let prune = {
                try await store.prune(finishedBefore: harness.now.timestamp + -(30 * Self.day))
            }
            #expect(try await prune() == Pruning())
            harness.clock.advance(29 * Self.day)
            #expect(try await prune() == Pruning())
            harness.clock.advance(2 * Self.day)
            #expect(try await prune().jobs == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a calendar that goes back by a correction holds no retry`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let store = try sqlite(harness)
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

    @Test(arguments: Backend.allCases)
    func `a worker that was forgotten while its machine slept is known again at its next sign of life`(
        _ backend: Backend
    ) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            let sleeper = try await harness.store.register(
                NewWorker(
                    name: "sleeper", host: "here", processID: 2, slots: 3, services: [Sample.service]))
            harness.clock.advance(2 * Self.day)
            let other = try await harness.store.register(
                NewWorker(name: "other", host: "here", processID: 3, slots: 1))
            let names = {
                try await harness.store.stats().workers.filter(\.alive).map(\.name)
            }
            #expect(try await names() == ["other"])
            _ = try await harness.store.renew(sleeper, attempts: [], lease: 30_000)
            #expect(Set(try await names()) == ["other", "sleeper"])
            try await harness.store.unregister(other)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a jump of the calendar alone forgets no worker`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let other = try await another(harness, clock: HandClock(ahead(harness.now, by: 3 * Self.day)))
            _ = try await other.register(NewWorker(name: "other", host: "here", processID: 3, slots: 1))
            await other.close()
            #expect(try await harness.store.stats().workers.map(\.name).contains("bench"))
        }
    }
}
