import Jobs
import Testing
import TestSupport

@Suite struct EnqueueTests {
    @Test(arguments: Backend.allCases)
    func `a job is kept with all that was said of it`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let deadline = harness.now.timestamp + 60_000
            let new = try Sample.job("hello", queue: "letters") { job in
                job.customID = "k-1"
                job.priority = 7
                job.deadline = deadline
                job.maxAttempts = 9
                job.cache = .refresh
                job.tags = ["b", "a"]
                job.metadata = Array(#"{"row": 17}"#.utf8)
            }
            let id = try #require(try await harness.enqueue([new]).first)
            let job = try await harness.job(id)
            #expect(job.customID == "k-1")
            #expect(job.queue == "letters")
            #expect(job.state == .queued)
            #expect(job.priority == 7)
            #expect(job.deadline == deadline)
            #expect(job.maxAttempts == 9)
            #expect(job.cache == .refresh)
            #expect(job.tags == ["b", "a"])
            #expect(job.metadata == new.metadata)
            #expect(job.request == new.request)
            #expect(job.createdAt == harness.now.timestamp)
            #expect(job.runAt == harness.now.timestamp)
            #expect(job.attempt == 0)
            #expect(job.model == Sample.model)
            #expect(job.response == nil)
            #expect(job.cost == .zero)
        }
    }

    @Test(arguments: Backend.allCases)
    func `many jobs get ids that grow in their order`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let first = try await harness.enqueue(try Sample.jobs(300))
            let second = try await harness.enqueue(try Sample.jobs(3, prefix: "more"))
            #expect(first + second == (first + second).sorted())
            #expect(Set(first + second).count == 303)
            #expect(try await harness.store.stats().counts.queued == 303)
        }
    }

    @Test(arguments: Backend.allCases)
    func `atomically, one conflict keeps all the others out`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let batch = try await harness.store.createBatch(name: "b", metadata: nil)
            try await harness.enqueue([try Sample.job("taken") { $0.customID = "k" }])
            let jobs = [
                try Sample.job("one") { $0.batch = batch.id },
                try Sample.job("other") { $0.customID = "k" },
                try Sample.job("two", queue: "new") { $0.batch = batch.id },
            ]
            let outcomes = try await harness.store.enqueue(jobs, atomically: true)
            #expect(outcomes.count == 3)
            guard case .customIDTaken = outcomes[1] else {
                Issue.record("the conflict is not told")
                return
            }
            #expect(try await harness.store.stats().counts.total == 1)
            #expect(try await harness.store.queue("new") == nil)
            #expect(try await harness.store.batch(batch.id)?.counts.total == 0)

            let repaired = try await harness.store.enqueue([jobs[0], jobs[2]], atomically: true)
            #expect(repaired.compactMap(\.id).count == 2)
            #expect(try await harness.store.batch(batch.id)?.counts.queued == 2)
        }
    }

    @Test(arguments: Backend.allCases)
    func `otherwise a conflict spoils no neighbour`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let taken = try await harness.enqueue([try Sample.job("taken") { $0.customID = "k" }])
            let jobs = [
                try Sample.job("one"), try Sample.job("other") { $0.customID = "k" }, try Sample.job("two"),
            ]
            let outcomes = try await harness.store.enqueue(jobs, atomically: false)
            #expect(outcomes[1] == .customIDTaken(by: taken[0]))
            #expect(outcomes[0].id != nil && outcomes[2].id != nil)
            #expect(try await harness.store.stats().counts.queued == 3)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key with the same body names the same job, also when it is done`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let job = try Sample.job("one") { $0.customID = "k" }
            let id = try #require(try await harness.enqueue([job]).first)
            let again = try await harness.store.enqueue([job, job], atomically: true)
            #expect(again == [.existing(id), .existing(id)])
            try await harness.succeed(try await harness.claimOne())
            let later = try await harness.store.enqueue([job], atomically: true)
            #expect(later == [.existing(id)])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a key is taken in its own queue only`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            try await harness.enqueue([try Sample.job("one", queue: "a") { $0.customID = "k" }])
            let outcomes = try await harness.store.enqueue(
                [try Sample.job("two", queue: "b") { $0.customID = "k" }], atomically: false
            )
            #expect(outcomes.first?.id != nil)
        }
    }

    @Test(arguments: Backend.allCases)
    func `the second of two jobs with one key in one upload is told of the first`(_ backend: Backend)
        async throws
    {
        try await StoreHarness.run(backend) { harness in
            let outcomes = try await harness.store.enqueue(
                [try Sample.job("one") { $0.customID = "k" }, try Sample.job("two") { $0.customID = "k" }],
                atomically: false)
            let first = try #require(outcomes[0].id)
            #expect(outcomes == [.created(first), .customIDTaken(by: first)])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a repeated upload finds its jobs by their ordinals`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let upload = try (0..<3).map { ordinal in
                try Sample.job("line \(ordinal)") { $0.idempotency = .init(key: "up", ordinal: ordinal) }
            }
            // The first time the upload was cut after two lines.
            let cut = try await harness.enqueue(Array(upload[..<2]))
            let whole = try await harness.store.enqueue(upload, atomically: false)
            #expect(Array(whole[..<2]) == cut.map { .existing($0) })
            #expect(whole[2].id.map { !cut.contains($0) } == true)
            #expect(try await harness.store.stats().counts.queued == 3)
        }
    }

    @Test(arguments: Backend.allCases)
    func `an idempotency key with another body is a mismatch`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let ids = try await harness.enqueue([
                try Sample.job("one") { $0.idempotency = .init(key: "up", ordinal: 0) }
            ])
            let outcomes = try await harness.store.enqueue(
                [try Sample.job("two") { $0.idempotency = .init(key: "up", ordinal: 0) }],
                atomically: true)
            #expect(outcomes == [.idempotencyMismatch(ids[0])])
            #expect(try await harness.store.stats().counts.total == 1)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a batch that does not exist takes nothing and leaves no trace`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let outcomes = try await harness.store.enqueue(
                [try Sample.job("one", queue: "ghost") { $0.batch = BatchID(5) }], atomically: false)
            #expect(outcomes == [.noSuchBatch])
            #expect(try await harness.store.queue("ghost") == nil)
            #expect(try await harness.store.stats().counts.total == 0)
        }
    }

    @Test(arguments: Backend.allCases)
    func `a job runs not before its time, and at its time`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let at = harness.now.timestamp + 5_000
            let ids = try await harness.enqueue([
                try Sample.job("at") { $0.runAt = at }, try Sample.job("delayed") { $0.delay = 8_000 },
            ])
            let early = try await harness.fullClaim()
            #expect(early.attempts.isEmpty)
            #expect(early.wakeAfter == 5_000)
            let waiting = try await harness.job(ids[0]).waitingFor
            #expect(waiting?.reason == .schedule)
            #expect(waiting?.until == at)

            harness.clock.advance(4_999)
            #expect(try await harness.claim().isEmpty)
            harness.clock.advance(1)
            let claim = try await harness.fullClaim()
            #expect(claim.attempts.map(\.key.job) == [ids[0]])
            #expect(claim.wakeAfter == 3_000)
            harness.clock.advance(3_000)
            #expect(try await harness.claim().map(\.key.job) == [ids[1]])
        }
    }

    @Test(arguments: Backend.allCases)
    func `a time that has passed makes a job ready at once`(_ backend: Backend) async throws {
        try await StoreHarness.run(backend) { harness in
            let past = harness.now.timestamp + -5_000
            let ids = try await harness.enqueue([try Sample.job("past") { $0.runAt = past }])
            #expect(try await harness.claim().map(\.key.job) == ids)
            #expect(try await harness.job(ids[0]).runAt == past)
        }
    }
}
