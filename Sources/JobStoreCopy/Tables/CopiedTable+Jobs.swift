// Jobs and what belongs to one.
extension CopiedTable {
    /// In SQLite a row and its body; in PostgreSQL a row that stands still, one that says where it stands, and its names.
    static let job = CopiedTable(
        "job", jobColumns,
        file: Place(
            driver: "job", joined: "LEFT JOIN job_body ON job_body.job_id = job.id",
            expressions: ["has_check": "EXISTS (SELECT 1 FROM job_check WHERE job_check.job_id = job.id)"],
            inserts: [
                Insert(
                    "job", jobColumns.map(\.name).filter { !bodyColumns.contains($0) && $0 != "has_check" }),
                Insert("job_body", ["id"] + bodyColumns).naming(["id": "job_id"]),
            ], parts: ["job_body"]),
        server: Place(
            driver: "job", joined: "LEFT JOIN job_place AS place ON place.job_id = job.id",
            inserts: [
                Insert("job", stillColumns),
                Insert("waiting", placeColumns + ["held_until", "held_hash"] + drawnColumns)
                    .naming(["id": "job_id"]).when("state = 'queued'", asking: ["state"]),
                Insert("running", placeColumns + ["state"]).naming(["id": "job_id"])
                    .when("state = 'running' OR state = 'review'"),
                Insert("ended", placeColumns + endColumns).naming(["id": "job_id"])
                    .when("state NOT IN ('queued', 'running', 'review')"),
                Insert("job_name", ["queue_id", "custom_id", "id"]).naming(["id": "job_id"])
                    .when("custom_id IS NOT NULL"),
                Insert("job_key", ["idempotency_key", "idempotency_ordinal", "tenant_id", "id"])
                    .naming(["id": "job_id"]).when("idempotency_key IS NOT NULL"),
            ], parts: ["waiting", "running", "ended"]))

    private static let jobColumns: [CopiedColumn] = [
        .integer("id"), .integer("lane_id"), .integer("queue_id"), .text("state"), .flag("ready"),
        .integer("rank"), .integer("held_until").optional, .bytes("held_hash").optional,
        .integer("attempt"), .integer("attempts_counted"), .integer("max_attempts"), .integer("failures"),
        .integer("crash_count"), .integer("priority"), .text("cache"), .integer("max_tokens"),
        .integer("request_bytes"), .integer("worst_input_tokens").optional,
        .integer("worst_searches").optional, .integer("cache_writes"), .integer("max_cost").optional,
        .bytes("prompt_hash"), .bytes("prefix_hash").optional, .integer("prefix_lifetime").optional,
        .integer("created_at"), .integer("run_at"), .integer("started_at").optional,
        .integer("finished_at").optional, .integer("finish_order").optional, .integer("deadline").optional,
        .text("custom_id").optional, .integer("batch_id").optional, .integer("batch_ordinal").optional,
        .integer("answer_id").optional, .flag("cached"), .integer("cost"), .integer("saved"),
        .integer("fallback"), .text("fallback_cause").optional, .flag("skip_coalescing"),
        .integer("blame_route_id").optional, .integer("blame_mark").optional, .integer("forgiven"),
        .json("error").optional, .text("error_type").optional, .text("tags").optional, .integer("sample"),
        .text("requested_model").optional, .text("betas").optional, .text("idempotency_key").optional,
        .integer("idempotency_ordinal").optional, .flag("has_check"), .integer("tenant_id"),
        .bytes("fingerprint"), .bytes("metadata").optional, .bytes("request"),
    ]

    /// Of SQLite's `job_body`.
    private static let bodyColumns = [
        "request", "metadata", "tags", "fingerprint", "sample", "requested_model", "betas", "idempotency_key",
        "idempotency_ordinal", "tenant_id",
    ]

    /// Of PostgreSQL's `job`.
    private static let stillColumns = [
        "id", "queue_id", "rank", "max_attempts", "priority", "cache", "max_tokens", "request_bytes",
        "worst_input_tokens", "worst_searches", "cache_writes", "max_cost", "prompt_hash", "prefix_hash",
        "prefix_lifetime", "created_at", "run_at", "deadline", "custom_id", "batch_id", "batch_ordinal",
        "tags", "sample", "requested_model", "betas", "idempotency_key", "idempotency_ordinal", "has_check",
        "tenant_id", "fingerprint", "metadata", "request",
    ]

    /// Of all its places.
    private static let placeColumns = [
        "id", "lane_id", "attempt", "attempts_counted", "failures", "crash_count", "fallback",
        "fallback_cause", "skip_coalescing", "blame_route_id", "blame_mark", "forgiven", "started_at",
        "answer_id", "cost", "error",
    ]

    /// What a claim asks of a waiting job, a second time.
    private static let drawnColumns = [
        "rank", "cache", "max_tokens", "request_bytes", "worst_input_tokens", "worst_searches",
        "cache_writes", "max_cost", "prompt_hash", "prefix_hash", "prefix_lifetime", "deadline", "batch_id",
        "has_check",
    ]

    private static let endColumns = [
        "state", "error_type", "finished_at", "finish_order", "cached", "saved", "batch_id",
    ]

    static let jobCheck = CopiedTable(
        "job_check",
        [
            .integer("job_id"), .bytes("rules"), .text("routes"), .integer("first_lane_id"),
            .integer("used"), .text("source"), .bytes("request").optional, .flag("passed").optional,
            .text("step").optional, .text("reason").optional.quoting, .text("review").optional,
            .text("review_note").optional, .integer("reviewed_at").optional,
        ])

    static let jobTag = CopiedTable("job_tag", key: 2, [.text("tag"), .integer("job_id")])

    /// SQLite finds one by its prompt through a table.
    static let answer = CopiedTable(
        "answer", answerColumns,
        file: Place(
            driver: "answer",
            inserts: [
                Insert("answer", answerColumns.map(\.name)),
                Insert("answer_prompt", ["prompt_hash", "id"])
                    .naming(["prompt_hash": "prompt", "id": "answer_id"])
                    .writing(["prompt_hash": "substr(prompt_hash, 1, 8)"]).when("prompt_hash IS NOT NULL"),
            ]))

    private static let answerColumns: [CopiedColumn] = [
        .integer("id"), .integer("route_id"), .bytes("prompt_hash").optional, .integer("job_id"),
        .text("model"), .integer("input_tokens"), .integer("output_tokens"), .integer("cache_write_tokens"),
        .integer("cache_write_1h_tokens"), .integer("cache_read_tokens"), .integer("cost"),
        .integer("created_at"), .integer("expires_at"), .integer("uses"), .bytes("body"),
    ]

    static let pendingRelease = CopiedTable(
        "pending_release", key: 2, [.bytes("prompt_hash"), .integer("route_id"), .flag("skip_coalescing")])
}
