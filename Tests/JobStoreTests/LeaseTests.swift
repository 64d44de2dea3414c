import Jobs
import Testing

@Suite struct LeaseTests {
    @Test(arguments: Backend.allCases)
    func `a renewed lease holds, one that is not ends at its moment`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one", "two")
            let attempts = try await bench.claim()
            bench.clock.advance(20_000)
            let lost = try await bench.store.renew(
                bench.worker, attempts: [attempts[0].key], lease: 30_000, now: bench.now)
            #expect(lost.isEmpty)
            bench.clock.advance(9_999)
            #expect(try await bench.store.reap(now: bench.now) == Reaping())
            bench.clock.advance(1)
            #expect(try await bench.store.reap(now: bench.now).writtenOff == 1)
            #expect(
                try await bench.states(attempts.map(\.key.job)) == [.running, .queued])
        }
    }

    @Test(arguments: Backend.allCases)
    func `renewing tells which attempts are lost`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one", "two", "three")
            let keys = try await bench.claim().map(\.key)
            _ = try await bench.store.cancel(keys[1].job, now: bench.now)
            #expect(
                try await bench.store.renew(bench.worker, attempts: keys, lease: 30_000, now: bench.now)
                    == [keys[1]])
            #expect(try await bench.store.revoked(bench.worker) == [keys[1]])
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
            let lost = try await bench.store.renew(
                bench.worker, attempts: keys, lease: 30_000, now: bench.now)
            #expect(lost == keys)
        }
    }

    @Test(arguments: Backend.allCases)
    func `nobody renews another's lease`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one")
            let keys = try await bench.claim().map(\.key)
            let other = try await bench.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 1), now: bench.now)
            #expect(
                try await bench.store.renew(other, attempts: keys, lease: 90_000, now: bench.now) == keys)
            #expect(try await bench.store.revoked(other).isEmpty)
            #expect(try await bench.store.revoked(bench.worker).isEmpty)
            bench.clock.advance(30_000)
            #expect(try await bench.store.reap(now: bench.now).writtenOff == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `every lease of another boot has ended`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("one", "two")
            _ = try await bench.claim()
            bench.clock.reboot()
            #expect(try await bench.store.reap(now: bench.now).writtenOff == 2)
            #expect(try await bench.claim().map(\.key.job) == ids)
            #expect(try await bench.store.reap(now: bench.now) == Reaping())
        }
    }

    @Test(arguments: Backend.allCases)
    func `a calendar that is set wrong ends no lease`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("one")
            _ = try await bench.claim()
            bench.clock.now.timestamp = bench.now.timestamp + 86_400_000
            #expect(try await bench.store.reap(now: bench.now) == Reaping())
        }
    }

    @Test(arguments: Backend.allCases)
    func `a lost lease is not counted, and books what may have been paid`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue([try Sample.job("one") { $0.maxAttempts = 1 }])
            _ = try await bench.claim()
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
            let job = try await bench.job(ids[0])
            #expect(job.state == .queued)
            #expect(job.attemptsCounted == 0)
            let attempt = try #require(try await bench.store.attempts(of: ids[0])?.first)
            #expect(attempt.verdict == "lease_lost")
            #expect(attempt.error?.type == "lease_lost")
            #expect(attempt.maybePaid > .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `the reaper works in bounded turns`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(450))
            for _ in 0..<2 { _ = try await bench.claim(450) }
            bench.clock.advance(30_000)
            var turns: [Reaping] = []
            repeat { turns.append(try await bench.store.reap(now: bench.now)) } while turns.last?.more == true
            #expect(turns.map(\.writtenOff) == [200, 200, 50])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a queued job past its deadline is failed by the reaper`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let deadline = bench.now.timestamp + 5_000
            let ids = try await bench.enqueue([
                try Sample.job("queued") { $0.deadline = deadline },
                try Sample.job("scheduled") {
                    $0.deadline = deadline
                    $0.delay = 60_000
                },
            ])
            let running = try await bench.enqueue([
                try Sample.job("running", queue: "other") { $0.deadline = deadline }
            ])
            _ = try await bench.store.update(queue: "default", QueuePatch(paused: true), now: bench.now)
            #expect(try await bench.claim().map(\.key.job) == running)
            bench.clock.advance(5_000)
            let reaping = try await bench.store.reap(now: bench.now)
            #expect(reaping == Reaping(writtenOff: 0, expiredDeadlines: 2))
            #expect(try await bench.states(ids + running) == [.failed, .failed, .running])
            #expect(try await bench.job(ids[0]).error?.type == "deadline_exceeded")
        }
    }

    @Test(arguments: Backend.allCases)
    func `a worker is alive while it is heard of`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            func alive() async throws -> [Bool] {
                try await bench.store.stats(now: bench.now).workers.map(\.alive)
            }
            #expect(try await alive() == [true])
            bench.clock.advance(40_000)
            #expect(try await alive() == [false])
            _ = try await bench.store.renew(bench.worker, attempts: [], lease: 30_000, now: bench.now)
            #expect(try await alive() == [true])
            bench.clock.reboot()
            #expect(try await alive() == [false])
            try await bench.store.unregister(bench.worker, now: bench.now)
            #expect(try await alive().isEmpty)
        }
    }
}
