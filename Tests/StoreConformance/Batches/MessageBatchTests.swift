import Jobs
import Testing
import TestSupport

@Suite struct MessageBatchTests {
    static func requests(_ count: Int, prefix: String = "r") throws -> [BatchRequest] {
        try (0..<count).map {
            BatchRequest(
                customID: "\(prefix)-\($0)", job: try Sample.job("\(prefix) \($0)", queue: "batches"))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `nothing of an upload can be claimed before it is opened, and all of it afterwards`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            #expect(try await store.upload(try Self.requests(3), to: batch) == nil)
            #expect(try await harness.claim(5).isEmpty)
            #expect(try await store.messageBatch(batch) == nil)
            #expect(try await harness.store.batches(before: nil, limit: 10).isEmpty)
            let waiting = try #require(
                try await harness.store.jobs(JobFilter(queue: "batches"), before: nil, limit: 1, bodies: [])
                    .first?.waitingFor)
            #expect(waiting.reason == .pause && waiting.detail.contains("not wholly uploaded"))
            #expect(try await store.open(batch, key: nil, fingerprint: []) == .opened)
            #expect(try await harness.claim(5).count == 3)
            #expect(try await store.messageBatch(batch)?.counts.running == 3)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a custom id stands in a batch once, and a portion that repeats one takes nothing in`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(2), to: batch)
            let more = try Self.requests(2, prefix: "s") + Self.requests(1)
            #expect(try await store.upload(more, to: batch) == "r-0")
            _ = try await store.open(batch, key: nil, fingerprint: [])
            #expect(try await store.messageBatch(batch)?.counts.total == 2)
            let other = try await store.beginUpload()
            #expect(try await store.upload(try Self.requests(2), to: other) == nil)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a batch whose job is in review ends if it is cancelled`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            var request = try Self.requests(1)[0]
            request.job.check = NewCheck(
                rules: Array(#"{"labels":["x"],"on_fail":"review"}"#.utf8), routes: [])
            _ = try await store.upload([request], to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            let attempt = try await harness.claimOne()
            let given = Sample.answer("y")
            let decision = Decision(verdict: .succeeded, routeEvent: .succeeded).checked(given, of: attempt)
            _ = try await store.settle(
                Settlement(
                    key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
                    answer: given))
            #expect(try await store.messageBatch(batch)?.counts.review == 1)
            #expect(try await !store.cancel(batch))
            #expect(try await store.messageBatch(batch)?.endedAt != nil)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a request that cannot be asked fails where it stands`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            var request = try Self.requests(1)[0]
            request.failure = JobError(
                type: "invalid_request_error", message: "no messages", retryable: false)
            _ = try await store.upload([request], to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            let ended = try #require(try await store.messageBatch(batch))
            #expect(ended.endedAt != nil && ended.counts.failed == 1 && ended.expired == 0)
            let results = try await store.results(of: batch, after: -1, limit: 10)
            #expect(results.map(\.customID) == ["r-0"])
            #expect(results.first?.finished.job.error?.message == "no messages")
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an upload that broke off is found after a while, and discarded without a trace`(
        _ tested: StoreUnderTest
    )
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(600), to: batch)
            #expect(try await store.brokenUploads().isEmpty)
            harness.clock.advance(MessageBatch.patience + 1)
            #expect(try await store.brokenUploads() == [batch])
            #expect(try await store.discard(batch))
            #expect(try await !store.discard(batch))
            #expect(try await store.brokenUploads().isEmpty)
            #expect(try await harness.store.count(JobFilter()) == 0)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a cancelled batch ends once its calls have, and nothing of it is retried`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(4), to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            let running = try await harness.claimOne()
            #expect(try await !store.cancel(batch))
            let cancelling = try #require(try await store.messageBatch(batch))
            #expect(cancelling.cancelledAt != nil && cancelling.endedAt == nil)
            #expect(cancelling.counts.cancelled == 3 && cancelling.counts.running == 1)
            try await harness.succeed(running)
            let ended = try #require(try await store.messageBatch(batch))
            #expect(ended.endedAt != nil && ended.counts.succeeded == 1)
            let results = try await store.results(of: batch, after: -1, limit: 10)
            #expect(results.map(\.customID) == ["r-0", "r-1", "r-2", "r-3"])
            let cancelled = try #require(results.first { $0.finished.job.state == .cancelled }).finished.job
                .id
            let retried = try await harness.store.retry(cancelled, change: RetryChange())
            #expect(retried == .refused(.cancelled))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `what is not done in a day has expired`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            var request = try Self.requests(1)[0]
            request.job.deadline = harness.now.timestamp + MessageBatch.time
            _ = try await store.upload([request], to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            harness.clock.advance(MessageBatch.time)
            _ = try await harness.store.reap()
            let ended = try #require(try await store.messageBatch(batch))
            #expect(ended.expired == 1 && ended.endedAt != nil)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an idempotency key opens one batch`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let first = try await store.beginUpload()
            let second = try await store.beginUpload()
            #expect(try await store.open(first, key: "k", fingerprint: [1]) == .opened)
            #expect(try await store.open(second, key: "k", fingerprint: [1]) == .keyTaken)
            #expect(try await store.messageBatch(key: "k")?.id == first)
            #expect(try await !store.discard(second))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `batches are listed from both ends`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            var ids: [BatchID] = []
            for _ in 0..<4 {
                let id = try await store.beginUpload()
                _ = try await store.open(id, key: nil, fingerprint: [])
                ids.insert(id, at: 0)
            }
            func list(_ after: BatchID?, _ before: BatchID?) async throws -> [BatchID] {
                try await store.messageBatches(after: after, before: before, limit: 2).map(\.id)
            }
            #expect(try await list(nil, nil) == Array(ids[0...1]))
            #expect(try await list(ids[1], nil) == Array(ids[2...3]))
            #expect(try await list(nil, ids[3]) == Array(ids[1...2]))
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `results are kept for 29 days, whatever the retention`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            harness.isPruned = true
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(1), to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            try await harness.succeed(try await harness.claimOne())
            harness.clock.advance(28 * 86_400_000)
            _ = try await harness.store.prune(olderThan: 0)
            #expect(try await store.results(of: batch, after: -1, limit: 10).count == 1)
            harness.clock.advance(2 * 86_400_000)
            _ = try await harness.store.prune(olderThan: 0)
            #expect(try await store.results(of: batch, after: -1, limit: 10).isEmpty)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a batch that was opened is never discarded`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(3), to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            #expect(try await !store.discard(batch))
            #expect(try await store.messageBatch(batch)?.counts.total == 3)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an upload that was given up takes nothing in and is not opened, however far its end has come`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(600), to: batch)
            harness.clock.advance(MessageBatch.patience + 1)
            for left in [true, false] {
                #expect(
                    try await store.upload(try Self.requests(1, prefix: "late"), to: batch)
                        == nil)
                #expect(try await store.open(batch, key: nil, fingerprint: []) == .givenUp)
                #expect(try await store.discard(batch) == left)
            }
            #expect(try await store.open(batch, key: nil, fingerprint: []) == .givenUp)
            #expect(try await harness.store.count(JobFilter()) == 0)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `an upload that is slow lives as long as something comes`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            for _ in 0..<3 {
                harness.clock.advance(MessageBatch.patience)
                #expect(try await store.upload([], to: batch) == nil)
            }
            #expect(try await store.brokenUploads().isEmpty)
            #expect(try await store.open(batch, key: nil, fingerprint: []) == .opened)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `nothing of a batch is claimed once it is cancelled, and a reaper ends what its canceller began`(
        _ tested: StoreUnderTest
    ) async throws {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            for part in 0..<3 {
                let portion = try Self.requests(400, prefix: "p\(part)")
                #expect(try await store.upload(portion, to: batch) == nil)
            }
            _ = try await store.open(batch, key: nil, fingerprint: [])
            let running = try await harness.claimOne()
            // The server dies after the first portion.
            #expect(try await store.cancel(batch))
            #expect(try await harness.claim(5).isEmpty)
            try await harness.settle(running.key, .handedBack(sent: false))
            #expect(try await harness.claim(5).isEmpty)
            while try await harness.store.reap().more {}
            let ended = try #require(try await store.messageBatch(batch))
            #expect(ended.endedAt != nil && ended.counts.cancelled == 1200)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `nobody adds jobs to a message batch`(_ tested: StoreUnderTest) async throws {
        try await StoreHarness.run(tested) { harness in
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(1), to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            var job = try Sample.job("one more")
            job.batch = batch
            let outcomes = try await harness.store.enqueue([job], atomically: false)
            #expect(outcomes == [.noSuchBatch])
            #expect(try await store.messageBatch(batch)?.counts.total == 1)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a discarded upload's places in the order of finishing go to nobody else`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            var request = try Self.requests(1)[0]
            request.failure = JobError(type: "invalid_request_error", message: "no", retryable: false)
            _ = try await store.upload([request], to: batch)
            let query = ResultsQuery(source: .all, bodies: [])
            let seen = try #require(try await harness.store.results(query, after: -1, limit: 10).last?.cursor)
            _ = try await store.discard(batch)
            try await harness.enqueue("next")
            try await harness.succeed(try await harness.claimOne())
            #expect(try await harness.store.results(query, after: seen, limit: 10).count == 1)
        }
    }

    private func halfPrice(_ count: Int) throws -> [BatchRequest] {
        try Self.requests(count).map { request in
            var request = request
            request.job.isHalfPrice = true
            return request
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a batch that is cancelled before its jobs are sent is not sent`(_ tested: StoreUnderTest)
        async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try halfPrice(3), to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            harness.clock.advance(1_000)
            let sealed = try #require(try await harness.maintain())
            #expect(sealed.state == .sealed)
            _ = try await store.cancel(batch)
            harness.clock.advance(10)
            #expect(
                try await !harness.store.beginSending(
                    sealed.id, owner: harness.worker))
            // Nor can what has come back be claimed, in the lane that was made for it.
            #expect(try await harness.claim(5).isEmpty)
            while try await harness.store.reap().more {}
            let ended = try #require(try await store.messageBatch(batch))
            #expect(ended.endedAt != nil && ended.counts.cancelled == 3)
        }
    }

    @Test(arguments: StoreUnderTest.all)
    func `a job whose results are published is not counted as retried`(_ tested: StoreUnderTest) async throws
    {
        try await StoreHarness.run(tested) { harness in
            try await harness.warmUp()
            let store = harness.store
            let batch = try await store.beginUpload()
            _ = try await store.upload(try Self.requests(3), to: batch)
            _ = try await store.open(batch, key: nil, fingerprint: [])
            for attempt in try await harness.claim(5) { try await harness.meet(Sample.refusal(400), attempt) }
            let retried = try await harness.store.retry(
                JobFilter(state: .failed), change: RetryChange(), after: nil, limit: 10)
            #expect(retried.count == 0 && retried.last != nil)
        }
    }
}
