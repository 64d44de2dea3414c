// Queues, routes and what lies between: what a claim asks beside the jobs.
extension CopiedTable {
    static let tenant = CopiedTable(
        "tenant", [.integer("id"), .text("name")],
        file: Place(driver: "tenant", inserts: [Insert("tenant", ["id", "name"]).replacing()]),
        server: Place(driver: "tenant", inserts: [Insert("tenant", ["id", "name"]).replacing()]))

    static let queue = CopiedTable(
        "queue",
        [
            .integer("id"), .text("name"), .flag("paused"), .integer("concurrency").optional,
            .integer("weight"), .integer("running"), .real("pass"), .bytes("check_rules").optional,
            .text("check_routes").optional, .flag("requires_system"), .flag("requires_check"),
            .integer("max_input_tokens").optional, .integer("tenant_id"),
        ])

    static let virtualTime = CopiedTable("virtual_time", [.integer("id"), .real("pass")])

    static let route = CopiedTable(
        "route",
        [
            .integer("id"), .text("provider"), .text("endpoint"), .text("model"), .text("credential"),
            .flag("simulated"), .flag("paused"), .text("gate"),
            .moment("gate_until", boot: "gate_boot").optional,
            .integer("gate_until_date").optional,
            .moment("gate_closed_at", boot: "gate_closed_boot").optional, .integer("gate_failures"),
            .integer("gate_trips"), .moment("ramp_from", boot: "ramp_boot").optional, .integer("running"),
            .integer("succeeded"), .flag("learned"), .integer("answers"), .real("input_per_byte"),
            .real("high_output"), .real("mean_input"), .real("mean_output"), .real("mean_call"),
            .real("open_input"), .real("open_output"), .real("call_window", inFile: "window"),
            .real("call_window_threshold", inFile: "window_threshold").optional,
            .moment("call_window_cut_at", boot: "window_cut_boot", inFile: "window_cut_at").optional,
            .integer("burst"), .flag("reserves_max_tokens"), .integer("concurrency").optional,
        ])

    static let bucket = CopiedTable(
        "bucket", key: 2,
        [
            .integer("route_id"), .text("kind"), .integer("stated").optional, .integer("per_minute"),
            .real("level"), .moment("at", boot: "boot"), .real("reserved"),
        ])

    static let latency = CopiedTable(
        "latency", key: 4,
        [
            .integer("minute"), .integer("route_id"), .text("part"), .integer("class"), .integer("answers"),
        ]
    ).inParts

    static let lane = CopiedTable(
        "lane",
        [
            .integer("id"), .integer("queue_id"), .integer("route_id"), .text("budget"), .text("variant"),
            .text("kind"), .integer("owner").optional, .integer("batch_id").optional, .flag("sealed"),
            .integer("used_at"),
        ])

    static let laneMove = CopiedTable(
        "lane_move", key: 2, [.text("tag"), .integer("tenant_id"), .integer("behind")])

    static let refusalStreak = CopiedTable(
        "refusal_streak", key: 2,
        [
            .integer("queue_id"), .integer("route_id"), .text("signature"), .text("message"),
            .integer("refusals"), .moment("asked_at", boot: "asked_boot").optional, .integer("trips"),
            .moment("until_at", boot: "until_boot").optional, .integer("held_since").optional,
        ])

    static let prefix = CopiedTable(
        "prefix", key: 2,
        [
            .integer("route_id"), .bytes("hash"), .moment("warm_until", boot: "boot"),
            .integer("warmup_job").optional, .integer("warmup_attempt").optional,
        ])
}
