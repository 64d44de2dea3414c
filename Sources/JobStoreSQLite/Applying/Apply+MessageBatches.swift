import Jobs
import SQLite
import StoreRules

extension WriteContext {
    func update(messageBatch batch: BatchID, _ update: MessageBatchUpdate) throws {
        switch update {
        case .open(let key, let fingerprint):
            _ = try connection.run(
                "UPDATE message_batch SET open = 1, idempotency_key = ?2, fingerprint = ?3 WHERE batch_id = ?1",
                [.integer(batch.value), .text(key), .blob(fingerprint)])
        case .sealLanes(let sealed):
            _ = try connection.run(
                "UPDATE lane SET sealed = ?2 WHERE batch_id = ?1", [.integer(batch.value), .bool(sealed)])
        case .cancel:
            _ = try connection.run(
                "UPDATE message_batch SET cancelled_at = coalesce(cancelled_at, ?2) WHERE batch_id = ?1",
                [.integer(batch.value), .integer(now.timestamp.milliseconds)])
        case .end:
            _ = try connection.run(
                """
                UPDATE message_batch
                SET ended_at = coalesce(
                    ended_at, (SELECT max(finished_at) FROM job WHERE batch_id = ?1), created_at
                )
                WHERE batch_id = ?1
                """, [.integer(batch.value)])
        case .deleteWithTallies:
            _ = try connection.run("DELETE FROM batch_tally WHERE batch_id = ?1", [.integer(batch.value)])
            _ = try connection.run("DELETE FROM batch WHERE id = ?1", [.integer(batch.value)])
        }
    }

    func delete(_ job: Int64) throws {
        _ = try connection.run("DELETE FROM job WHERE id = ?1", [.integer(job)])
    }
}
