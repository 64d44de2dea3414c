import JobStoreSQLite
import Jobs
import Testing

@Suite struct CalendarTests {
    private static let day: Milliseconds = 86_400_000
    private static let patience: Milliseconds = 600_000

    private func sqlite(_ bench: Bench) throws -> SQLiteJobStore {
        try #require(bench.store as? SQLiteJobStore)
    }

    private func ahead(_ now: Now, by offset: Milliseconds) -> Now {
        Now(timestamp: now.timestamp + offset, moment: now.moment)
    }

    @Test(arguments: Backend.allCases)
    func `a process whose calendar disagrees deletes and ends nothing`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let late = try await bench.enqueue([
                try Sample.job("late") {
                    $0.deadline = bench.now.timestamp + 20 * Self.day
                    $0.runAt = bench.now.timestamp + 19 * Self.day
                }
            ])
            bench.clock.advance(60 * Self.day)
            var unsure = bench.now
            unsure.disagreement = 60 * Self.day
            let cutoff = bench.now.timestamp + -(30 * Self.day)
            #expect(try await bench.store.prune(finishedBefore: cutoff, now: unsure) == Pruning())
            #expect(try await bench.store.reap(now: unsure).expiredDeadlines == 0)
            #expect(try await bench.store.count(JobFilter(state: .succeeded)) == 1)
            #expect(try await bench.states(late) == [.queued])
            // Agreed on, the same happens as ever.
            #expect(try await bench.store.reap(now: bench.now).expiredDeadlines == 1)
            #expect(try await bench.store.prune(finishedBefore: cutoff, now: bench.now).jobs == 1)
            bench.isPruned = true
        }
    }

    @Test(arguments: Backend.allCases)
    func `what the processes agree on is kept, and who contradicts it is told of`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let store = try sqlite(bench)
            let first = try await store.attest(bench.now, patience: Self.patience)
            #expect(first.now(own: bench.now) == bench.now)
            let other = try await store.attest(
                ahead(bench.now, by: 40 * Self.day), patience: Self.patience)
            #expect(other.now(own: ahead(bench.now, by: 40 * Self.day)).timestamp == bench.now.timestamp)
            bench.clock.advance(5_000)
            let dispute = try await store.stats(now: bench.now).calendar
            #expect(dispute == CalendarDispute(offset: 40 * Self.day, age: 5_000))
            // Contradicted, it is told of for as long as it is made.
            _ = try await store.attest(bench.now, patience: Self.patience)
            #expect(try await store.stats(now: bench.now).calendar?.age == 0)
            bench.clock.advance(AgreedCalendar.longestSilence)
            #expect(try await store.stats(now: bench.now).calendar == nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a correction makes nothing that is kept older than it is`(_ backend: Backend) async throws {
        try await Bench.run(backend, cacheTTL: 20 * Self.day) { bench in
            let store = try sqlite(bench)
            bench.isPruned = true
            _ = try await store.attest(bench.now, patience: 0)
            try await bench.warmUp()
            bench.clock.now.timestamp = bench.now.timestamp + 400 * Self.day
            _ = try await store.attest(bench.now, patience: 0)
            let prune = {
                try await store.prune(
                    finishedBefore: bench.now.timestamp + -(30 * Self.day), now: bench.now)
            }
            #expect(try await prune() == Pruning())
            bench.clock.advance(29 * Self.day)
            #expect(try await prune() == Pruning())
            bench.clock.advance(2 * Self.day)
            #expect(try await prune().jobs == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a calendar that goes back by a correction holds no retry`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let store = try sqlite(bench)
            let right = bench.clock
            bench.clock.now.timestamp = bench.now.timestamp + 40 * Self.day
            _ = try await store.attest(bench.now, patience: 0)
            try await bench.warmUp()
            let ids = try await bench.enqueue("a")
            try await bench.settle(
                try await bench.claimOne().key,
                .again(
                    after: 60_000, JobError(type: "api_error", message: "no", retryable: true),
                    .counted))
            bench.clock = right
            _ = try await store.attest(bench.now, patience: 0)
            bench.clock.advance(1)
            #expect(try await bench.claim(1).map(\.key.job) == ids)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a worker that was forgotten while its machine slept is known again at its next sign of life`(
        _ backend: Backend
    ) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            let sleeper = try await bench.store.register(
                NewWorker(
                    name: "sleeper", host: "here", processID: 2, slots: 3, services: [Sample.service]),
                now: bench.now)
            bench.clock.advance(2 * Self.day)
            let other = try await bench.store.register(
                NewWorker(name: "other", host: "here", processID: 3, slots: 1), now: bench.now)
            let names = { try await bench.store.stats(now: bench.now).workers.filter(\.alive).map(\.name) }
            #expect(try await names() == ["other"])
            _ = try await bench.store.renew(sleeper, attempts: [], lease: 30_000, now: bench.now)
            #expect(Set(try await names()) == ["other", "sleeper"])
            try await bench.store.unregister(other, now: bench.now)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a jump of the calendar alone forgets no worker`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let jumped = ahead(bench.now, by: 3 * Self.day)
            _ = try await bench.store.register(
                NewWorker(name: "other", host: "here", processID: 3, slots: 1), now: jumped)
            #expect(try await bench.store.stats(now: bench.now).workers.map(\.name).contains("bench"))
        }
    }
}
