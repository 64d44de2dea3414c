import HTTPServer
import JSON
import Jobs

extension BatchID {
    /// As the Message Batches API names it.
    var compatible: String { "msg" + description }

    init?(compatible text: String) {
        guard text.hasPrefix("msg") else { return nil }
        self.init(String(text.dropFirst(3)))
    }
}

extension MessageBatch {
    /// From when on its results are no longer there; nil before.
    func archivedAt(_ now: Timestamp) -> Timestamp? {
        let end = createdAt + MessageBatch.kept
        return end <= now ? end : nil
    }

    var status: String {
        if endedAt != nil { return "ended" }
        return cancelledAt == nil ? "in_progress" : "canceling"
    }
}

extension JSONWriter {
    mutating func messageBatch(_ batch: MessageBatch, _ head: RequestHead, now: Timestamp) {
        object { writer in
            writer.field("id", batch.id.compatible)
            writer.field("type", "message_batch")
            writer.field("processing_status", batch.status)
            writer.key("request_counts")
            writer.object { counts in
                counts.field("processing", batch.counts.total - batch.counts.finished)
                counts.field("succeeded", batch.counts.succeeded)
                counts.field("errored", batch.counts.failed - batch.expired)
                counts.field("canceled", batch.counts.cancelled)
                counts.field("expired", batch.expired)
            }
            writer.time("created_at", batch.createdAt)
            writer.time("expires_at", batch.expiresAt)
            writer.field("ended_at", batch.endedAt?.text)
            writer.field("cancel_initiated_at", batch.cancelledAt?.text)
            let archived = batch.archivedAt(now)
            writer.field("archived_at", archived?.text)
            let hasResults = batch.endedAt != nil && archived == nil
            writer.field("results_url", hasResults ? Self.results(of: batch.id, head) : nil)
        }
    }

    /// Where the caller found this server.
    private static func results(of id: BatchID, _ head: RequestHead) -> String {
        let path = "/v1/messages/batches/\(id.compatible)/results"
        guard let host = head.headers["host"] else { return path }
        return "\(head.headers["x-forwarded-proto"] == "https" ? "https" : "http")://\(host)\(path)"
    }

    mutating func result(_ result: BatchResult) {
        let job = result.finished.job
        object { writer in
            writer.field("custom_id", result.customID)
            writer.key("result")
            writer.object { writer in
                switch job.state {
                case .succeeded:
                    writer.field("type", "succeeded")
                    writer.field("message", raw: job.response ?? Array("null".utf8))
                case .cancelled:
                    writer.field("type", "canceled")
                default:
                    writer.failure(job.error ?? .unknown)
                }
            }
        }
    }

    private mutating func failure(_ error: JobError) {
        guard error.type != "deadline_exceeded" else { return field("type", "expired") }
        let failure = CallFailure(error, job: nil)
        field("type", "errored")
        key("error")
        object { writer in
            writer.messagesError(failure.type, failure.message)
            writer.field("request_id", failure.requestID)
        }
    }
}
