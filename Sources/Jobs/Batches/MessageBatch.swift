/// A batch of the Message Batches API: requests under their callers' own names, answered within a day.
package struct MessageBatch: Sendable {
    package var id: BatchID
    package var createdAt: Timestamp
    /// What is not done by then never will be.
    package var expiresAt: Timestamp
    package var cancelledAt: Timestamp?
    package var endedAt: Timestamp?
    package var counts: StateCounts
    /// How many of the failed ones failed for want of time.
    package var expired: Int

    package init(
        id: BatchID, createdAt: Timestamp, expiresAt: Timestamp, cancelledAt: Timestamp?, endedAt: Timestamp?,
        counts: StateCounts, expired: Int
    ) {
        self.id = id
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.cancelledAt = cancelledAt
        self.endedAt = endedAt
        self.counts = counts
        self.expired = expired
    }

    /// How long a batch has.
    package static let time: Milliseconds = 86_400_000
    /// How long its results are kept, whatever the retention.
    package static let kept: Milliseconds = 29 * 86_400_000
    /// An upload of which nothing was heard for so long is not going on any more.
    package static let patience: Milliseconds = 600_000
    package static let mostRequests = 100_000
}

/// One request of an upload.
package struct BatchRequest: Sendable {
    package var customID: String
    package var job: NewJob
    /// It cannot be asked: the job fails where it stands.
    package var failure: JobError?

    package init(customID: String, job: NewJob, failure: JobError? = nil) {
        self.customID = customID
        self.job = job
        self.failure = failure
    }
}

/// How an upload came out.
package enum UploadEnd: Hashable, Sendable {
    case opened
    /// Another upload has this idempotency key.
    case keyTaken
    /// Nothing was heard of it for `MessageBatch.patience`, and what had come of it is discarded.
    case givenUp
}

/// A finished request of a batch.
package struct BatchResult: Sendable {
    package var customID: String
    package var finished: FinishedJob

    package init(customID: String, finished: FinishedJob) {
        self.customID = customID
        self.finished = finished
    }
}

/// The part of the store that keeps batches of the Message Batches API; the rules of `JobStore` hold.
package protocol MessageBatchStore: Sendable {
    /// Begins an upload: nobody sees the batch before it is opened.
    func beginUpload(now: Now) async throws -> BatchID
    /// Takes a portion in; nil, or the first custom id that the batch had before, and then nothing was taken.
    ///
    /// Each portion, an empty one too, is a sign that the upload goes on. One that was given up takes nothing in: `open`
    /// says so.
    func upload(_ requests: [BatchRequest], to batch: BatchID, now: Now) async throws -> String?
    /// Makes the batch and all its jobs visible at once.
    func open(_ batch: BatchID, key: String?, fingerprint: [UInt8], now: Now) async throws -> UploadEnd
    /// Forgets an upload that was not opened; bounded work, true when some is left.
    func discard(_ batch: BatchID, now: Now) async throws -> Bool
    /// Uploads that broke off.
    func brokenUploads(now: Now) async throws -> [BatchID]
    func messageBatch(_ id: BatchID, now: Now) async throws -> MessageBatch?
    /// The batch that was made under an idempotency key, and the fingerprint of what it was made of.
    func messageBatch(key: String) async throws -> (id: BatchID, fingerprint: [UInt8])?
    /// Newest first: ids below `after`, or the ones next above `before`.
    func messageBatches(after: BatchID?, before: BatchID?, limit: Int, now: Now) async throws
        -> [MessageBatch]
    /// Nothing more of the batch is claimed; its queued jobs are cancelled in portions, and true means that some are left.
    ///
    /// What a canceller leaves that dies between two portions, `JobStore.reap` ends.
    func cancel(_ batch: BatchID, now: Now) async throws -> Bool
    /// Forgets a batch that has ended; its jobs are pruned as others are.
    func delete(_ batch: BatchID, now: Now) async throws
    /// In the order of the input.
    func results(of batch: BatchID, after: Int64, limit: Int) async throws -> [BatchResult]
}
