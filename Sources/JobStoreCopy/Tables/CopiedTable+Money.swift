// Budgets, spending, and what was said.
extension CopiedTable {
    static let budget = CopiedTable(
        "budget",
        [
            .integer("id"), .text("name"), .text("scope"), .text("subject"), .text("span"),
            .integer("amount"), .text("alerts"), .flag("active"), .text("stated_by").optional,
            .integer("tenant_id"),
        ])

    static let budgetWindow = CopiedTable(
        "budget_window",
        [
            .integer("id"), .integer("budget_id"), .integer("starts_at"), .integer("settled"),
            .integer("reserved"), .integer("unconfirmed_cost"), .integer("alerted"),
            .integer("spent_before"), .integer("excess"), .flag("exhaustion_logged"),
        ])

    static let event = CopiedTable(
        "event",
        [
            .integer("id"), .integer("at"), .text("kind"), .text("subject"), .text("message"),
            .integer("percent").optional,
        ])

    static let spend = CopiedTable(
        "spend", key: 2,
        [
            .integer("day"), .integer("lane_id"), .integer("calls"), .integer("cache_hits"),
            .integer("input_tokens"), .integer("output_tokens"), .integer("cache_write_tokens"),
            .integer("cache_read_tokens"), .integer("cost"), .integer("saved"), .integer("unconfirmed_cost"),
            .integer("shared_hits"), .integer("shared_saved"), .integer("batch_calls"),
            .integer("batch_cost"), .integer("batch_full_cost"),
        ]
    ).inParts

    static let spendTag = CopiedTable(
        "spend_tag", key: 3,
        [
            .integer("day"), .text("tag"), .integer("tenant_id"), .integer("calls"), .integer("cache_hits"),
            .integer("cost"), .integer("saved"), .integer("unconfirmed_cost"), .integer("shared_hits"),
            .integer("shared_saved"), .integer("batch_calls"), .integer("batch_cost"),
            .integer("batch_full_cost"),
        ]
    ).inParts

    static let statement = CopiedTable(
        "statement",
        [
            .integer("id"), .text("subject"), .text("fingerprint"), .text("content"), .text("source"),
            .integer("made_at"),
        ])
}
