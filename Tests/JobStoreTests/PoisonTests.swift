import Jobs
import Testing

@testable import JobStoreSQLite

/// Jobs under which worker after worker dies.
@Suite struct PoisonTests {
    private func die(_ bench: Bench, times: Int) async throws {
        for _ in 0..<times {
            _ = try #require(try await bench.claim(1).first)
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
        }
    }

    @Test(arguments: Backend.allCases)
    func `after three deaths a job runs alone`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.enqueue("poison", "another")
            try await die(bench, times: 2)
            #expect(try await bench.claim(1).map(\.alone) == [false])
            bench.clock.advance(30_000)
            _ = try await bench.store.reap(now: bench.now)
            let attempts = try await bench.claim(5)
            #expect(attempts.map(\.alone) == [true])
        }
    }

    @Test(arguments: Backend.allCases)
    func `it waits while others run, and goes first and alone where none do`(_ backend: Backend)
        async throws
    {
        try await Bench.run(backend) { bench in
            let poison = try await bench.enqueue("poison")
            try await die(bench, times: 3)
            try await bench.enqueue(
                try Sample.jobs(8, queue: "other", prefix: "urgent").map { job in
                    var job = job
                    job.priority = 100
                    return job
                })
            let busy = try await bench.fullClaim(2, running: 1)
            #expect(busy.attempts.isEmpty)
            #expect(busy.emptyYourself)

            let empty = try await bench.fullClaim(5, running: 0)
            #expect(empty.attempts.map(\.key.job) == poison)
            #expect(empty.attempts.first?.alone == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one worker at a time is asked to empty itself`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let other = try await bench.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5), now: bench.now)
            try await bench.enqueue("poison")
            try await die(bench, times: 3)
            _ = try await bench.store.renew(other, attempts: [], lease: 30_000, now: bench.now)
            _ = try await bench.store.renew(bench.worker, attempts: [], lease: 30_000, now: bench.now)
            #expect(try await bench.fullClaim(5, running: 1).emptyYourself)
            #expect(try await bench.fullClaim(5, running: 1, as: other).emptyYourself == false)
            bench.clock.advance(60_000)
            _ = try await bench.store.renew(other, attempts: [], lease: 30_000, now: bench.now)
            #expect(try await bench.fullClaim(5, running: 1, as: other).emptyYourself)
        }
    }

    @Test(arguments: Backend.allCases)
    func `after ten more deaths it fails`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("poison")
            try await die(bench, times: 12)
            #expect(try await bench.states(ids) == [.queued])
            try await die(bench, times: 1)
            let job = try await bench.job(ids[0])
            #expect(job.state == .failed)
            #expect(job.error?.type == "worker_lost")
            #expect(job.attemptsCounted == 0)
            #expect(job.attempt == 13)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry gives it its neighbours back`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            let ids = try await bench.enqueue("poison")
            try await die(bench, times: 13)
            _ = try await bench.store.retry(ids[0], change: RetryChange(), now: bench.now)
            try await bench.enqueue("another")
            let attempts = try await bench.claim()
            #expect(attempts.count == 2)
            #expect(attempts.allSatisfy { !$0.alone })
        }
    }

    @Test(arguments: Backend.allCases)
    func `those of a paused queue keep no other back`(_ backend: Backend) async throws {
        try await Bench.run(backend) { bench in
            try await bench.warmUp()
            try await bench.enqueue(try Sample.jobs(12, queue: "paused", prefix: "p"))
            let other = try await bench.enqueue([try Sample.job("other", queue: "works")])
            for _ in 0..<Poison.aloneAfter {
                #expect(try await bench.claim(20).count == 13)
                bench.clock.advance(30_000)
                while try await bench.store.reap(now: bench.now).more {}
            }
            _ = try await bench.store.update(queue: "paused", QueuePatch(paused: true), now: bench.now)
            let attempts = try await bench.claim(5)
            #expect(attempts.map(\.key.job) == other && attempts.first?.alone == true)
        }
    }
}
