import Jobs
import Testing

/// Batches of the compatible API: uploads that are opened or not, cancelled, read and deleted.
extension Schedule {
    /// An upload or a batch, as its owner knows it.
    struct Uploaded {
        var isOpen = false
        var isCancelled = false
        var jobs = 0
    }

    private var messageBatches: any MessageBatchStore {
        get throws { try #require(stores[chance(50) ? 0 : 1] as? any MessageBatchStore) }
    }

    func upload() async throws {
        let store = try messageBatches
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<2 where uploads.count < 30:
            uploads[try await store.beginUpload()] = Uploaded()
        case 0..<5: try await sendPortion(store)
        case 5..<7: try await open(store)
        case 7: try await cancelBatch(store)
        case 8: try await discard(store)
        default: try await deleteBatch(store)
        }
    }

    private func someBatch(_ isWanted: (Uploaded) -> Bool) -> BatchID? {
        uploads.filter { isWanted($0.value) }.keys.sorted().randomElement(using: &random)
    }

    private func sendPortion(_ store: any MessageBatchStore) async throws {
        guard let batch = someBatch({ !$0.isOpen }) else { return }
        let requests = try (0..<Int.random(in: 0...3, using: &random)).map { _ in
            customIDs += 1
            var job = try newJob()
            (job.queue, job.customID, job.batch) = (chance(70) ? "batches" : job.queue, nil, nil)
            job.isHalfPrice = chance(50)
            job.deadline = job.deadline ?? harness.now.timestamp + MessageBatch.time
            var request = BatchRequest(customID: "c\(customIDs)", job: job)
            if chance(5) {
                request.failure = JobError(
                    type: "invalid_request_error", message: "no messages", retryable: false)
            }
            return request
        }
        let before = try await total(of: batch)
        #expect(try await store.upload(requests, to: batch) == nil)
        uploads[batch]?.jobs += try await total(of: batch) - before
    }

    /// How many jobs a batch has.
    private func total(of batch: BatchID) async throws -> Int {
        try await stores[0].count(JobFilter(batch: batch))
    }

    private func open(_ store: any MessageBatchStore) async throws {
        guard let batch = someBatch({ !$0.isOpen }) else { return }
        let end = try await store.open(batch, key: nil, fingerprint: [])
        guard end == .opened else {
            // It was given up.
            while try await store.discard(batch) {}
            return uploads[batch] = nil
        }
        uploads[batch]?.isOpen = true
        let jobs = try await stores[0].jobs(JobFilter(batch: batch), before: nil, limit: 10_000, bodies: [])
        for job in jobs { note(job.id) }
    }

    private func cancelBatch(_ store: any MessageBatchStore) async throws {
        guard let batch = someBatch({ $0.isOpen }) else { return }
        uploads[batch]?.isCancelled = true
        // Its canceller may die on the way.
        repeat {
            guard try await store.cancel(batch), chance(90) else { return }
        } while true
    }

    /// As of an upload that broke off.
    private func discard(_ store: any MessageBatchStore) async throws {
        guard let batch = someBatch({ !$0.isOpen }) else { return }
        while try await store.discard(batch) {}
        uploads[batch] = nil
    }

    private func deleteBatch(_ store: any MessageBatchStore) async throws {
        guard let batch = someBatch({ $0.isOpen }),
            try await store.messageBatch(batch)?.endedAt != nil
        else { return }
        try await store.delete(batch)
        uploads[batch] = nil
    }

    /// What is not open by now never will be.
    func discardUploads() async throws {
        let store = try messageBatches
        for batch in uploads.filter({ !$0.value.isOpen }).keys {
            while try await store.discard(batch) {}
            uploads[batch] = nil
        }
    }

    var jobsInUploads: Int { uploads.values.filter { !$0.isOpen }.map(\.jobs).reduce(0, +) }
}
