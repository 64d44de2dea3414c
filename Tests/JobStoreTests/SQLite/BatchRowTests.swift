import Jobs
import TestSupport
import Testing

@testable import StoreConformance

/// What batches leave behind in lanes and in the place from which pruning looks.
@Suite struct BatchRowTests {
    @Test func `batches leave no lanes behind but those that the next ones take`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            harness.isPruned = true
            try await harness.warmUp()
            let store = harness.store
            for round in 0..<4 {
                let batch = try await store.beginUpload()
                let portion = try MessageBatchTests.requests(2, prefix: "\(round)")
                _ = try await store.upload(portion, to: batch)
                #expect(try await harness.claim(5).isEmpty)
                _ = try await store.open(batch, key: nil, fingerprint: [])
                for attempt in try await harness.claim(5) { try await harness.succeed(attempt) }
                #expect(try await store.messageBatch(batch)?.counts.succeeded == 2)
                harness.clock.advance(30 * 86_400_000)
                _ = try await harness.store.prune(olderThan: 0)
            }
            #expect(try harness.rows("SELECT count(*) FROM lane WHERE batch_id IS NOT NULL") == [1])
        }
    }

    @Test func `what is kept is looked at once, until it may go`() async throws {
        try await StoreHarness.run(.sqlite) { harness in
            harness.isPruned = true
            try await harness.warmUp()
            let store = harness.store
            var kept: [BatchID] = []
            for round in 0..<2 {
                let batch = try await store.beginUpload()
                let portion = try MessageBatchTests.requests(20, prefix: "\(round)").map { request in
                    var request = request
                    request.failure = JobError(type: "invalid_request_error", message: "no", retryable: false)
                    return request
                }
                _ = try await store.upload(portion, to: batch)
                _ = try await store.open(batch, key: nil, fingerprint: [])
                kept.append(batch)
            }
            func prune() async throws -> Int {
                harness.clock.advance(60_000)
                return try await harness.store.prune(olderThan: 0).jobs
            }
            #expect(try await prune() == 1)
            let last = try harness.rows("SELECT max(finish_order) FROM job")
            #expect(try harness.rows("SELECT place FROM prune_floor") == last)
            // What ends later goes all the same.
            try await harness.enqueue("later")
            try await harness.succeed(try await harness.claimOne())
            #expect(try await prune() == 1)
            try await store.delete(kept[0])
            #expect(try await prune() == 20)
            harness.clock.advance(MessageBatch.kept)
            #expect(try await prune() == 20)
        }
    }
}
