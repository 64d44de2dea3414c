import Postgres

/// Puts together the parts of counts and sums: each connection that ever wrote has left one.
enum TallyParts {
    /// So many parts of lanes' tallies are left alone: they are added up fast enough.
    private static let few = 2_000

    static let areMany = Call(.manyParts, [.integer(few)])

    /// Only while nobody else writes.
    static func merge(_ context: WriteContext) {
        for statement in Statement.mergeParts { context.run(statement) }
    }
}

extension Statement {
    fileprivate static let manyParts = Statement(
        "many-parts", "SELECT lane_id FROM lane_tally_part WHERE writer <> 0 OFFSET $1::bigint LIMIT 1",
        .bigint)

    private static func merging(_ table: String, _ keys: String, _ columns: [String]) -> String {
        let sums = columns.map { "least(sum(\($0)::numeric), 9223372036854775807)::bigint" }
        let changes = columns.map {
            "\($0) = least(\(table).\($0)::numeric + excluded.\($0), 9223372036854775807)::bigint"
        }
        return """
            WITH gone AS (DELETE FROM \(table) WHERE writer <> 0 RETURNING *)
            INSERT INTO \(table) (\(keys), writer, \(columns.joined(separator: ", ")))
            SELECT \(keys), 0, \(sums.joined(separator: ", "))
            FROM gone
            GROUP BY \(keys)
            ON CONFLICT (\(keys), writer) DO UPDATE SET \(changes.joined(separator: ", "))
            """
    }

    fileprivate static let mergeParts = [
        Statement("merge-lane-tally", assembled: merging("lane_tally_part", "lane_id, state", ["jobs"])),
        Statement("merge-batch-tally", assembled: merging("batch_tally_part", "batch_id, state", ["jobs"])),
        Statement("merge-batch-money", assembled: merging("batch_money_part", "batch_id", moneyColumns)),
        Statement("merge-spend", assembled: merging("spend_part", "day, lane_id", spendColumns)),
        Statement("merge-tag-spend", assembled: merging("spend_tag_part", "day, tag, tenant_id", tagColumns)),
        Statement(
            "merge-latency", assembled: merging("latency_part", "minute, route_id, part, class", ["answers"])),
    ]
}
