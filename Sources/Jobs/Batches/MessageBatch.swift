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
    /// It cannot be asked: the job fails where it is.
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
