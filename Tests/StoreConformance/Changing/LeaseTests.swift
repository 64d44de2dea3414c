import Jobs
import Testing
import TestSupport

@Suite struct LeaseTests {
    @Test(arguments: StoreUnderTest.all)
    func `a renewed lease holds, one that is not ends at its moment`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueue("one", "two")
            let attempts = try await harness.claim()
            harness.clock.advance(20_000)
            let lost = try await harness.store.renew(
                harness.worker, attempts: [attempts[0].key], lease: 30_000)
            #expect(lost.isEmpty)
            harness.clock.advance(9_999)
            #expect(try await harness.store.reap() == Reaping())
            harness.clock.advance(1)
            #expect(try await harness.store.reap().writtenOff == 1)
            #expect(try await harness.states(attempts.map(\.key.job)) == [.running, .queued])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `renewing tells which attempts are lost`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueue("one", "two", "three")
            let keys = try await harness.claim().map(\.key)
            _ = try await harness.store.cancel(keys[1].job)
            #expect(
                try await harness.store.renew(harness.worker, attempts: keys, lease: 30_000)
                    == [keys[1]])
            #expect(try await harness.store.revoked(harness.worker) == [keys[1]])
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
            let lost = try await harness.store.renew(harness.worker, attempts: keys, lease: 30_000)
            #expect(lost == keys)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `nobody renews another's lease`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueue("one")
            let keys = try await harness.claim().map(\.key)
            let other = try await harness.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 1))
            #expect(try await harness.store.renew(other, attempts: keys, lease: 90_000) == keys)
            #expect(try await harness.store.revoked(other).isEmpty)
            #expect(try await harness.store.revoked(harness.worker).isEmpty)
            harness.clock.advance(30_000)
            #expect(try await harness.store.reap().writtenOff == 1)
        }
    }

    @Test(arguments: StoreUnderTest.ofOneMachine)
    func `every lease of another boot has ended`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue("one", "two")
            _ = try await harness.claim()
            harness.clock.reboot()
            #expect(try await harness.store.reap().writtenOff == 2)
            #expect(try await harness.claim().map(\.key.job) == ids)
            #expect(try await harness.store.reap() == Reaping())
        }
    }

    @Test(arguments: StoreUnderTest.ofOneMachine)
    func `a calendar that is set wrong ends no lease`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.enqueue("one")
            _ = try await harness.claim()
            harness.clock.time.timestamp = harness.now.timestamp + 86_400_000
            #expect(try await harness.store.reap() == Reaping())
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a lost lease is not counted, and books what may have been paid`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            let ids = try await harness.enqueue([try Sample.job("one") { $0.maxAttempts = 1 }])
            _ = try await harness.claim()
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
            let job = try await harness.job(ids[0])
            #expect(job.state == .queued)
            #expect(job.attemptsCounted == 0)
            let attempt = try #require(try await harness.store.attempts(of: ids[0])?.first)
            #expect(attempt.verdict == "lease_lost")
            #expect(attempt.error?.type == "lease_lost")
            #expect(attempt.unconfirmedCost > .zero)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `the reaper works in bounded turns`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(450))
            for _ in 0..<2 { _ = try await harness.claim(450) }
            harness.clock.advance(30_000)
            var turns: [Reaping] = []
            repeat {
                turns.append(try await harness.store.reap())
            } while turns.last?.more == true
            #expect(turns.map(\.writtenOff) == [200, 200, 50])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a queued job past its deadline is failed by the reaper`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let deadline = harness.now.timestamp + 5_000
            let ids = try await harness.enqueue([
                try Sample.job("queued") { $0.deadline = deadline },
                try Sample.job("scheduled") {
                    $0.deadline = deadline
                    $0.delay = 60_000
                },
            ])
            let running = try await harness.enqueue([
                try Sample.job("running", queue: "other") { $0.deadline = deadline }
            ])
            _ = try await harness.store.update(queue: "default", QueuePatch(paused: true))
            #expect(try await harness.claim().map(\.key.job) == running)
            harness.clock.advance(5_000)
            let reaping = try await harness.store.reap()
            #expect(reaping == Reaping(writtenOff: 0, expiredDeadlines: 2))
            #expect(try await harness.states(ids + running) == [.failed, .failed, .running])
            #expect(try await harness.job(ids[0]).error?.type == "deadline_exceeded")
        }
    }

    @Test(arguments: StoreUnderTest.ofOneMachine)
    func `no worker of another boot is alive`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            harness.clock.reboot()
            let alive = try await harness.store.stats().workers.map(\.alive)
            #expect(alive == [false])
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a worker is alive while it is heard of`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            func alive() async throws -> [Bool] {
                try await harness.store.stats().workers.map(\.alive)
            }
            #expect(try await alive() == [true])
            harness.clock.advance(40_000)
            #expect(try await alive() == [false])
            _ = try await harness.store.renew(harness.worker, attempts: [], lease: 30_000)
            #expect(try await alive() == [true])
            try await harness.store.unregister(harness.worker)
            #expect(try await alive().isEmpty)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a worker that was forgotten while its machine slept is known again at its next sign of life`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let sleeper = try await harness.store.register(
                NewWorker(
                    name: "sleeper", host: "here", processID: 2, slots: 3, services: [Sample.service]))
            harness.clock.advance(2 * Timestamp.day)
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
}
