import Jobs
import StoreRules
import Testing
import TestSupport

@testable import JobStoreSQLite

/// Jobs under which worker after worker dies.
@Suite struct PoisonTests {
    private func die(_ harness: StoreHarness, times: Int) async throws {
        for _ in 0..<times {
            _ = try #require(try await harness.claim(1).first)
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
        }
    }

    @Test(arguments: Backend.allCases)
    func `after three deaths a job runs alone`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue("poison", "another")
            try await die(harness, times: 2)
            #expect(try await harness.claim(1).map(\.alone) == [false])
            harness.clock.advance(30_000)
            _ = try await harness.store.reap()
            let attempts = try await harness.claim(5)
            #expect(attempts.map(\.alone) == [true])
        }
    }

    @Test(arguments: Backend.allCases)
    func `it waits while others run, and goes first and alone where none do`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let poison = try await harness.enqueue("poison")
            try await die(harness, times: 3)
            try await harness.enqueue(
                try Sample.jobs(8, queue: "other", prefix: "urgent").map { job in
                    var job = job
                    job.priority = 100
                    return job
                })
            let busy = try await harness.fullClaim(2, running: 1)
            #expect(busy.attempts.isEmpty)
            #expect(busy.drainFirst)

            let empty = try await harness.fullClaim(5, running: 0)
            #expect(empty.attempts.map(\.key.job) == poison)
            #expect(empty.attempts.first?.alone == true)
        }
    }

    @Test(arguments: Backend.allCases)
    func `one worker at a time is asked to empty itself`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let other = try await harness.store.register(
                NewWorker(name: "other", host: "there", processID: 2, slots: 5))
            try await harness.enqueue("poison")
            try await die(harness, times: 3)
            _ = try await harness.store.renew(other, attempts: [], lease: 30_000)
            _ = try await harness.store.renew(harness.worker, attempts: [], lease: 30_000)
            #expect(try await harness.fullClaim(5, running: 1).drainFirst)
            #expect(try await harness.fullClaim(5, running: 1, as: other).drainFirst == false)
            harness.clock.advance(60_000)
            _ = try await harness.store.renew(other, attempts: [], lease: 30_000)
            #expect(try await harness.fullClaim(5, running: 1, as: other).drainFirst)
        }
    }

    @Test(arguments: Backend.allCases)
    func `after ten more deaths it fails`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("poison")
            try await die(harness, times: 12)
            #expect(try await harness.states(ids) == [.queued])
            try await die(harness, times: 1)
            let job = try await harness.job(ids[0])
            #expect(job.state == .failed)
            #expect(job.error?.type == "worker_lost")
            #expect(job.attemptsCounted == 0)
            #expect(job.attempt == 13)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a retry gives it its neighbours back`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue("poison")
            try await die(harness, times: 13)
            _ = try await harness.store.retry(ids[0], change: RetryChange())
            try await harness.enqueue("another")
            let attempts = try await harness.claim()
            #expect(attempts.count == 2)
            #expect(attempts.allSatisfy { !$0.alone })
        }
    }

    @Test(arguments: Backend.allCases)
    func `those of a paused queue keep no other back`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.warmUp()
            try await harness.enqueue(try Sample.jobs(12, queue: "paused", prefix: "p"))
            let other = try await harness.enqueue([try Sample.job("other", queue: "works")])
            for _ in 0..<Poison.aloneAfter {
                #expect(try await harness.claim(20).count == 13)
                harness.clock.advance(30_000)
                while try await harness.store.reap().more {}
            }
            _ = try await harness.store.update(queue: "paused", QueuePatch(paused: true))
            let attempts = try await harness.claim(5)
            #expect(attempts.map(\.key.job) == other && attempts.first?.alone == true)
        }
    }
}
