import Jobs
import Postgres
import StoreRules

extension WriteContext {
    func update(messageBatch batch: BatchID, _ update: MessageBatchUpdate) throws {
        switch update {
        case .open(let key, let fingerprint):
            run(.openMessageBatch, [.integer(batch.value), .text(key), .bytes(fingerprint)])
        case .sealLanes(let sealed): run(.sealLanes, [.integer(batch.value), .bool(sealed)])
        case .cancel:
            run(.cancelMessageBatch, [.integer(batch.value), .integer(now.timestamp.milliseconds)])
        case .end:
            // It is the time of its last job, which must be in the database.
            try writeRows()
            run(.endMessageBatch, [.integer(batch.value)])
        case .deleteWithTallies:
            run(.deleteBatchTally, [.integer(batch.value)])
            run(.deleteBatchMoney, [.integer(batch.value)])
            run(.deleteBatch, [.integer(batch.value)])
        }
    }
}

extension Statement {
    fileprivate static let openMessageBatch = Statement(
        "open-message-batch",
        """
        UPDATE message_batch
        SET open = true, idempotency_key = $2::text, fingerprint = $3::bytea
        WHERE batch_id = $1::bigint
        """, .bigint, .text, .bytea)

    fileprivate static let sealLanes = Statement(
        "seal-lanes", "UPDATE lane SET sealed = $2::boolean WHERE batch_id = $1::bigint", .bigint, .bool)

    fileprivate static let cancelMessageBatch = Statement(
        "cancel-message-batch",
        "UPDATE message_batch SET cancelled_at = coalesce(cancelled_at, $2::bigint) WHERE batch_id = $1::bigint",
        .bigint, .bigint)

    /// Its jobs are in lanes of its own: each index of ended jobs by lane has some of them.
    fileprivate static let endMessageBatch = Statement(
        "end-message-batch",
        """
        UPDATE message_batch
        SET ended_at = coalesce(
            ended_at,
            (
                SELECT max(job.finished_at)
                FROM lane
                CROSS JOIN LATERAL (
                    SELECT finished_at FROM ended WHERE ended.lane_id = lane.id AND state = 'succeeded'
                    UNION ALL
                    SELECT finished_at FROM ended WHERE ended.lane_id = lane.id AND state = 'failed'
                    UNION ALL
                    SELECT finished_at FROM ended WHERE ended.lane_id = lane.id AND state = 'cancelled'
                ) AS job
                WHERE lane.batch_id = $1::bigint
            ),
            created_at
        )
        WHERE batch_id = $1::bigint
        """, .bigint)

    fileprivate static let deleteBatchTally = Statement(
        "delete-batch-tally", "DELETE FROM batch_tally_part WHERE batch_id = $1::bigint", .bigint)

    fileprivate static let deleteBatchMoney = Statement(
        "delete-batch-money", "DELETE FROM batch_money_part WHERE batch_id = $1::bigint", .bigint)

    /// With what the Message Batches API has of it.
    fileprivate static let deleteBatch = Statement(
        "delete-batch", "DELETE FROM batch WHERE id = $1::bigint", .bigint)
}
