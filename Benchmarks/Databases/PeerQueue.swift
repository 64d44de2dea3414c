import Postgres

/// How another queue on PostgreSQL takes jobs and lets go of them, by statements of our own after what it does.
///
/// In as few round trips as can be. None of them keeps what a job answered, counts money or knows a limit.
protocol PeerQueue: Sendable {
    /// The word for the helper.
    static var word: String { get }
    /// In the table: what it is, and which version it was taken from.
    static var title: String { get }
    static var schema: String { get }

    static func add(_ requests: [[UInt8]], _ connection: Connection) throws
    /// Takes so many, with their payloads.
    static func take(_ count: Int, _ connection: Connection) throws -> [Int64]
    /// Lets go of them, as done.
    static func finish(_ jobs: [Int64], _ connection: Connection) throws
}

/// One table whose rows are out of sight until a time, and deleted when they are done.
enum PGMQQueue: PeerQueue {
    static let word = "pgmq"
    static let title = "PGMQ's way (as in 1.5.2: one table with vt; read, delete)"
    static let schema = """
        CREATE TABLE q_bench (
            msg_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
            read_ct integer NOT NULL DEFAULT 0,
            enqueued_at timestamptz NOT NULL DEFAULT now(),
            vt timestamptz NOT NULL,
            message jsonb,
            headers jsonb
        );
        CREATE INDEX q_bench_vt ON q_bench (vt ASC);
        """

    static func add(_ requests: [[UInt8]], _ connection: Connection) throws {
        try connection.run([
            Call(.pgmqSend) { $0.add(column: requests.map { String(decoding: $0, as: UTF8.self) }) }
        ])
    }

    static func take(_ count: Int, _ connection: Connection) throws -> [Int64] {
        try connection.run([Call(.pgmqRead) { $0.add(Int64(count)) }])[0].map { try $0.int64(0) }
    }

    static func finish(_ jobs: [Int64], _ connection: Connection) throws {
        try connection.run([Call(.pgmqDelete) { $0.add(array: jobs) }])
    }
}

/// Jobs stay where they are; narrow rows beside them say which are ready and which are claimed.
enum SolidQueue: PeerQueue {
    static let word = "solid_queue"
    static let title = "Solid Queue's way (as in 1.3: ready_executions, claimed_executions)"
    static let schema = """
        CREATE TABLE jobs (
            id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
            queue_name text NOT NULL,
            class_name text NOT NULL,
            arguments text,
            priority integer NOT NULL DEFAULT 0,
            active_job_id text,
            scheduled_at timestamp,
            finished_at timestamp,
            concurrency_key text,
            created_at timestamp NOT NULL,
            updated_at timestamp NOT NULL
        );
        CREATE INDEX jobs_active ON jobs (active_job_id);
        CREATE INDEX jobs_class ON jobs (class_name);
        CREATE INDEX jobs_finished ON jobs (finished_at);
        CREATE INDEX jobs_queue ON jobs (queue_name, finished_at);
        CREATE INDEX jobs_scheduled ON jobs (scheduled_at, finished_at);
        CREATE TABLE ready_executions (
            id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
            job_id bigint NOT NULL UNIQUE REFERENCES jobs (id) ON DELETE CASCADE,
            queue_name text NOT NULL,
            priority integer NOT NULL DEFAULT 0,
            created_at timestamp NOT NULL
        );
        CREATE INDEX ready_poll_all ON ready_executions (priority, job_id);
        CREATE INDEX ready_poll_queue ON ready_executions (queue_name, priority, job_id);
        CREATE TABLE claimed_executions (
            id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
            job_id bigint NOT NULL UNIQUE REFERENCES jobs (id) ON DELETE CASCADE,
            process_id bigint,
            created_at timestamp NOT NULL
        );
        CREATE INDEX claimed_process ON claimed_executions (process_id, job_id);
        """

    static func add(_ requests: [[UInt8]], _ connection: Connection) throws {
        try connection.run([
            Call(.solidEnqueue) { $0.add(column: requests.map { String(decoding: $0, as: UTF8.self) }) }
        ])
    }

    static func take(_ count: Int, _ connection: Connection) throws -> [Int64] {
        try connection.transaction { transaction in
            let ready = try transaction.run([Call(.solidReady) { $0.add(Int64(count)) }])[0]
            let jobs = try ready.map { try $0.int64(0) }
            guard !jobs.isEmpty else { return jobs }
            try transaction.commit([
                Call(.solidClaim) { $0.add(array: jobs) }, Call(.solidUnready) { $0.add(array: jobs) },
                Call(.solidJobs) { $0.add(array: jobs) },
            ])
            return jobs
        }
    }

    static func finish(_ jobs: [Int64], _ connection: Connection) throws {
        try connection.run([
            Call(.solidFinish) { $0.add(array: jobs) }, Call(.solidRelease) { $0.add(array: jobs) },
        ])
    }
}

extension Statement {
    fileprivate static let pgmqSend = Statement(
        "pgmq-send",
        "INSERT INTO q_bench (vt, message) SELECT clock_timestamp(), m::jsonb FROM unnest($1::text[]) AS new (m)",
        .texts)
    fileprivate static let pgmqRead = Statement(
        "pgmq-read",
        """
        WITH next AS (
            SELECT msg_id FROM q_bench WHERE vt <= clock_timestamp() ORDER BY msg_id ASC LIMIT $1::bigint FOR UPDATE SKIP LOCKED
        )
        UPDATE q_bench
        SET vt = clock_timestamp() + interval '30 seconds', read_ct = read_ct + 1
        FROM next
        WHERE q_bench.msg_id = next.msg_id
        RETURNING q_bench.msg_id, q_bench.read_ct, q_bench.enqueued_at, q_bench.vt, q_bench.message, q_bench.headers
        """, .bigint)
    fileprivate static let pgmqDelete = Statement(
        "pgmq-delete", "DELETE FROM q_bench WHERE msg_id = ANY ($1::bigint[]) RETURNING msg_id", .bigints)

    fileprivate static let solidEnqueue = Statement(
        "solid-enqueue",
        """
        WITH new AS (
            INSERT INTO jobs (queue_name, class_name, arguments, active_job_id, scheduled_at, created_at, updated_at)
            SELECT 'bench', 'CallJob', m, gen_random_uuid()::text, now(), now(), now() FROM unnest($1::text[]) AS given (m)
            RETURNING id
        )
        INSERT INTO ready_executions (job_id, queue_name, created_at)
        SELECT id, 'bench', now() FROM new
        """, .texts)
    fileprivate static let solidReady = Statement(
        "solid-ready",
        """
        SELECT job_id
        FROM ready_executions
        WHERE queue_name = 'bench'
        ORDER BY priority ASC, job_id ASC
        LIMIT $1::bigint
        FOR UPDATE SKIP LOCKED
        """, .bigint)
    fileprivate static let solidClaim = Statement(
        "solid-claim",
        """
        INSERT INTO claimed_executions (job_id, process_id, created_at)
        SELECT id, 1, now() FROM unnest($1::bigint[]) AS taken (id)
        """, .bigints)
    fileprivate static let solidUnready = Statement(
        "solid-unready", "DELETE FROM ready_executions WHERE job_id = ANY ($1::bigint[])", .bigints)
    fileprivate static let solidJobs = Statement(
        "solid-jobs",
        "SELECT id, queue_name, class_name, arguments, priority FROM jobs WHERE id = ANY ($1::bigint[])",
        .bigints)
    fileprivate static let solidFinish = Statement(
        "solid-finish",
        "UPDATE jobs SET finished_at = now(), updated_at = now() WHERE id = ANY ($1::bigint[])", .bigints)
    fileprivate static let solidRelease = Statement(
        "solid-release", "DELETE FROM claimed_executions WHERE job_id = ANY ($1::bigint[])", .bigints)
}
