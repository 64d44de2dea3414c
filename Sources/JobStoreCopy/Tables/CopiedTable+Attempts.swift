// Attempts, and who makes them.
extension CopiedTable {
    /// In PostgreSQL open ones stand apart.
    static let attempt = CopiedTable(
        "attempt", key: 2, attemptColumns,
        file: Place(
            driver: "attempt",
            inserts: [
                Insert("attempt", attemptColumns.map(\.name)).moments(["opened_moment": "opened_at"])
            ]),
        server: Place(
            driver: "whole_attempt",
            inserts: [
                Insert("flight", flightColumns).when("status = 'open'", asking: ["status"]),
                Insert("attempt", attemptColumns.map(\.name)).when("status <> 'open'"),
            ]))

    private static let attemptColumns: [CopiedColumn] = [
        .integer("job_id"), .integer("number"), .integer("worker_id"), .integer("route_id"),
        .integer("home_route_id"), .integer("fallback"), .text("fallback_cause").optional,
        .integer("queue_id"), .text("status"), .text("verdict").optional, .flag("counted"),
        .integer("opened_at"), .moment("lease_until", boot: "boot"), .integer("closed_at").optional,
        .bytes("prompt_hash").optional, .real("reserved_input"), .real("reserved_output"),
        .integer("reserved_cost"), .list("budget_windows"), .real("mark_requests"), .real("mark_input"),
        .real("mark_output"), .integer("mark_succeeded"), .integer("input_tokens").optional,
        .integer("output_tokens").optional, .integer("cache_write_tokens").optional,
        .integer("cache_write_1h_tokens").optional, .integer("cache_read_tokens").optional,
        .integer("cost"), .integer("unconfirmed_cost"), .integer("cleared"),
        .integer("call_milliseconds").optional, .text("request_id").optional, .json("error").optional,
        .integer("provider_batch_id").optional,
    ]

    private static let flightColumns = [
        "job_id", "number", "worker_id", "route_id", "home_route_id", "fallback", "fallback_cause",
        "queue_id", "opened_at", "lease_until", "prompt_hash", "reserved_input", "reserved_output",
        "reserved_cost", "budget_windows", "mark_requests", "mark_input", "mark_output", "mark_succeeded",
        "provider_batch_id",
    ]

    static let worker = CopiedTable(
        "worker", workerColumns,
        file: Place(
            driver: "worker",
            inserts: [Insert("worker", workerColumns.map(\.name)).moments(["seen_moment": "seen_at"])]))

    private static let workerColumns: [CopiedColumn] = [
        .integer("id"), .text("name"), .text("host"), .integer("process_id"), .integer("slots"),
        .integer("started_at"), .integer("seen_at"), .flag("stopped"),
        .moment("emptying", boot: "seen_boot"), .flag("is_interactive"), .flag("superseded"),
    ]

    static let credential = CopiedTable(
        "credential",
        [
            .integer("id"), .text("provider"), .text("endpoint"), .text("name"), .flag("simulated"),
            .text("fingerprint"), .flag("refused"), .moment("until_at", boot: "until_boot").optional,
            .moment("closed_at", boot: "closed_boot").optional, .integer("trips"),
        ])

    static let workerService = CopiedTable(
        "worker_service", key: 5,
        [
            .integer("worker_id"), .text("provider"), .text("endpoint"), .text("credential"),
            .flag("simulated"), .integer("credential_id").optional,
        ])
}
