// Batches of callers, and those that go to providers.
extension CopiedTable {
    static let batch = CopiedTable(
        "batch",
        [
            .integer("id"), .text("name"), .bytes("metadata").optional, .integer("created_at"),
            .integer("next_ordinal"), .integer("cost"), .integer("saved"), .integer("calls"),
            .integer("cache_hits"), .integer("unconfirmed_cost"), .integer("tenant_id"),
        ],
        server: Place(
            driver: "whole_batch",
            inserts: [
                Insert("batch", ["id", "name", "metadata", "created_at", "next_ordinal", "tenant_id"]),
                Insert(
                    "batch_money_part", ["id", "cost", "saved", "calls", "cache_hits", "unconfirmed_cost"]
                ).naming(["id": "batch_id"]),
            ]))

    static let messageBatch = CopiedTable(
        "message_batch",
        [
            .integer("batch_id"), .flag("open"), .integer("touched_at"), .integer("created_at"),
            .integer("expires_at"), .integer("cancelled_at").optional, .integer("ended_at").optional,
            .text("idempotency_key").optional, .bytes("fingerprint").optional, .integer("tenant_id"),
        ])

    static let messageBatchItem = CopiedTable(
        "message_batch_item", key: 2, [.integer("batch_id"), .text("custom_id"), .integer("job_id")])

    static let providerBatch = CopiedTable(
        "provider_batch",
        [
            .integer("id"), .integer("route_id"), .integer("deadline_class"), .text("token"), .text("state"),
            .text("provider_id").optional, .text("rejected_ids"), .integer("requests"), .integer("bytes"),
            .integer("created_at"), .integer("sent_at").optional, .integer("ended_at").optional,
            .integer("soonest_deadline").optional, .integer("recall_at").optional, .integer("polls"),
            .integer("failures"), .text("error").optional, .integer("owner_id").optional,
            .moment("poll_at", boot: "poll_boot").optional,
        ])

    static let batchTally = CopiedTable(
        "batch_tally", key: 2, [.integer("batch_id"), .text("state"), .integer("jobs")]
    ).inParts

    static let laneTally = CopiedTable(
        "lane_tally", key: 2, [.integer("lane_id"), .text("state"), .integer("jobs")]
    ).inParts

    static let pruneFloor = CopiedTable(
        "prune_floor", pruneColumns,
        file: Place(driver: "prune_floor", inserts: [pruneInsert]),
        server: Place(driver: "prune_floor", inserts: [pruneInsert]))

    private static let pruneColumns: [CopiedColumn] = [.integer("id"), .integer("place"), .integer("until")]
    private static let pruneInsert = Insert("prune_floor", pruneColumns.map(\.name)).replacing()
}
