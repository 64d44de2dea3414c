import Jobs
import Postgres
import StoreRules

/// The provider's prompt cache as attempts wrote it.
enum PromptCache {
    static func find(
        _ hashes: [[UInt8]], _ access: Access
    ) throws -> [(hash: [UInt8], route: Int64, prefix: WrittenPrefix)] {
        try access.query(.prefixes, [.bytesArray(hashes)]).map { row in
            let until = Moment(epoch: DatabaseTime.epoch, milliseconds: try row.int64(2))
            return (
                hash: try row.bytes(0), route: try row.int64(1),
                prefix: WrittenPrefix(warmUntil: until, isOpen: try row.bool(3))
            )
        }
    }

    /// Those of the attempts that write a prefix for others; `writers` takes what it returns.
    static func writersCall(_ attempts: [Value]) -> Call { Call(.prefixWriters, attempts) }

    static func writers(_ rows: Rows) throws -> Set<AttemptKey> {
        Set(
            try rows.map { row in
                AttemptKey(job: JobID(try row.int64(0)), number: try row.int(1))
            })
    }

    static func prune(_ context: WriteContext) {
        context.run(.prunePrefixes, [.integer(context.now.moment.milliseconds)])
    }
}

extension CachedAnswer {
    /// The newest living answer to this prompt on this route.
    static func find(_ hash: [UInt8], route: Int64, now: Timestamp, _ access: Access) throws -> CachedAnswer?
    {
        try access.queryOne(
            .cachedAnswer, [.bytes(hash), .integer(route), .integer(now.milliseconds)]
        ) { row in
            CachedAnswer(
                id: try row.int64(0), cost: try row.int64(1), createdAt: try row.timestamp(2))
        }
    }
}

extension Statement {
    fileprivate static let prefixes = Statement(
        "prefixes",
        """
        SELECT hash, route_id, warm_until, EXISTS (
            SELECT 1 FROM flight WHERE flight.job_id = prefix.warmup_job AND flight.number = prefix.warmup_attempt
        )
        FROM prefix
        WHERE hash = ANY ($1::bytea[])
        """, .byteas)
    fileprivate static let prefixWriters = Statement(
        "prefix-writers",
        """
        SELECT wanted.job_id, wanted.number
        FROM unnest($1::bigint[], $2::bigint[]) AS wanted (job_id, number)
        JOIN prefix ON prefix.warmup_job = wanted.job_id AND prefix.warmup_attempt = wanted.number
        JOIN job ON job.id = wanted.job_id AND job.prefix_hash = prefix.hash
        """, .bigints, .bigints)
    fileprivate static let prunePrefixes = Statement(
        "prune-prefixes", "DELETE FROM prefix WHERE warmup_job IS NULL AND warm_until < $1::bigint", .bigint)
    fileprivate static let cachedAnswer = Statement(
        "cached-answer",
        """
        SELECT id, cost, created_at
        FROM answer
        WHERE substr(prompt_hash, 1, 8) = substr($1::bytea, 1, 8) AND route_id = $2::bigint AND prompt_hash = $1::bytea
            AND prompt_hash IS NOT NULL AND expires_at > $3::bigint
        ORDER BY id + 0 DESC
        LIMIT 1
        """, .bytea, .bigint, .bigint)
}
