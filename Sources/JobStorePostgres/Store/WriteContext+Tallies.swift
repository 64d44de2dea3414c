import Jobs
import Postgres
import StoreRules

// Tallies are written once, at the end of an operation, each into the part of its connection: so two transactions hardly ever wait for each
// other. Some connections may have the same part; the order of keys keeps these from waiting in a ring.
extension WriteContext {
    func writeTallies() throws {
        writeLanes()
        writeBatches()
        writeSpends()
        writeTagSpends()
        writeLatencies()
    }

    private func writeLanes() {
        let lanes = Set(tallies.lanes.keys.map(\.lane)).sorted()
        guard !lanes.isEmpty else { return }
        let time = now.timestamp.milliseconds
        // To the hour is enough for lists.
        run(.useLanes, [.integerArray(lanes), .integer(time), .integer(time - 3_600_000)])
        let rows = tallies.lanes.filter { $0.value != 0 }
            .sorted { ($0.key.lane, $0.key.state.rawValue) < ($1.key.lane, $1.key.state.rawValue) }
        guard !rows.isEmpty else { return }
        run(
            .addLaneTallies,
            [
                .integers(rows.map { $0.key.lane }), .texts(rows.map { $0.key.state.rawValue }),
                .integers(rows.map { $0.value }),
            ])
    }

    private func writeBatches() {
        let rows = tallies.batches.filter { $0.value != 0 }
            .sorted { ($0.key.batch, $0.key.state.rawValue) < ($1.key.batch, $1.key.state.rawValue) }
        if !rows.isEmpty {
            run(
                .addBatchTallies,
                [
                    .integers(rows.map { $0.key.batch }), .texts(rows.map { $0.key.state.rawValue }),
                    .integers(rows.map { $0.value }),
                ])
        }
        let money = tallies.batchMoney.sorted { $0.key < $1.key }
        guard !money.isEmpty else { return }
        run(
            .addBatchMoney,
            [
                .integers(money.map { $0.key }), .integers(money.map { $0.value.cost }),
                .integers(money.map { $0.value.saved }), .integers(money.map { $0.value.calls }),
                .integers(money.map { $0.value.cacheHits }),
                .integers(money.map { $0.value.unconfirmedCost }),
            ])
    }

    private func writeSpends() {
        let rows = tallies.spends.sorted { ($0.key.day, $0.key.lane) < ($1.key.day, $1.key.lane) }
        guard !rows.isEmpty else { return }
        let spends = rows.map(\.value)
        func column(_ value: (SpendDelta) -> Int64) -> Value { .integers(spends.map(value)) }
        run(
            .addSpends,
            [
                .integers(rows.map { $0.key.day }), .integers(rows.map { $0.key.lane }), column(\.calls),
                column(\.cacheHits), column(\.usage.inputTokens), column(\.usage.outputTokens),
                column(\.usage.cacheWriteTokens), column(\.usage.cacheReadTokens), column(\.cost),
                column(\.saved), column(\.unconfirmedCost), column(\.sharedHits), column(\.sharedSaved),
                column(\.batchCalls), column(\.batchCost), column(\.batchFullCost),
            ])
    }

    private func writeTagSpends() {
        let rows = tallies.tagSpends.sorted { ($0.key.day, $0.key.tag) < ($1.key.day, $1.key.tag) }
        guard !rows.isEmpty else { return }
        let spends = rows.map(\.value)
        func column(_ value: (SpendDelta) -> Int64) -> Value { .integers(spends.map(value)) }
        run(
            .addTagSpends,
            [
                .integers(rows.map { $0.key.day }), .texts(rows.map { $0.key.tag }), column(\.calls),
                column(\.cacheHits), column(\.cost), column(\.saved), column(\.unconfirmedCost),
                column(\.sharedHits), column(\.sharedSaved), column(\.batchCalls), column(\.batchCost),
                column(\.batchFullCost),
            ])
    }

    private func writeLatencies() {
        var classes: [[Int64]: (part: String, answers: Int)] = [:]
        for (times, answers) in tallies.latencies {
            let parts: [(LatencyHistogram.Part, Int)] = [
                (.answer, times.all), (.waiting, times.waiting), (.calling, times.calling),
            ]
            for (number, (part, index)) in parts.enumerated() {
                classes[
                    [times.minute, times.route, Int64(number), Int64(index)], default: (part.rawValue, 0)
                ].answers += answers
            }
        }
        let rows = classes.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        guard !rows.isEmpty else { return }
        run(
            .addLatencies,
            [
                .integers(rows.map { $0.key[0] }), .integers(rows.map { $0.key[1] }),
                .texts(rows.map { $0.value.part }), .integers(rows.map { $0.key[3] }),
                .integers(rows.map { $0.value.answers }),
            ])
    }
}

extension Statement {
    fileprivate static let useLanes = Statement(
        "use-lanes",
        "UPDATE lane SET used_at = $2::bigint WHERE id = ANY ($1::bigint[]) AND used_at < $3::bigint",
        .bigints, .bigint, .bigint)
    fileprivate static let addLaneTallies = Statement(
        "add-lane-tallies",
        """
        INSERT INTO lane_tally_part (lane_id, state, jobs, writer)
        SELECT new.*, pg_backend_pid() % 256 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS new
        ON CONFLICT (lane_id, state, writer) DO UPDATE SET jobs = lane_tally_part.jobs + excluded.jobs
        """, .bigints, .texts, .bigints)
    fileprivate static let addBatchTallies = Statement(
        "add-batch-tallies",
        """
        INSERT INTO batch_tally_part (batch_id, state, jobs, writer)
        SELECT new.*, pg_backend_pid() % 256 FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS new
        ON CONFLICT (batch_id, state, writer) DO UPDATE SET jobs = batch_tally_part.jobs + excluded.jobs
        """, .bigints, .texts, .bigints)

    /// Sums of money end at the largest number.
    private static func sum(_ column: String, _ table: String) -> String {
        "\(column) = least(\(table).\(column)::numeric + excluded.\(column), 9223372036854775807)::bigint"
    }

    private static func sums(_ columns: [String], _ table: String) -> String {
        columns.map { sum($0, table) }.joined(separator: ", ")
    }

    static let moneyColumns = ["cost", "saved", "calls", "cache_hits", "unconfirmed_cost"]
    fileprivate static let addBatchMoney = Statement(
        "add-batch-money",
        assembled: """
            INSERT INTO batch_money_part (batch_id, \(moneyColumns.joined(separator: ", ")), writer)
            SELECT new.*, pg_backend_pid() % 256
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS new
            ON CONFLICT (batch_id, writer) DO UPDATE SET \(sums(moneyColumns, "batch_money_part"))
            """, [.bigints, .bigints, .bigints, .bigints, .bigints, .bigints], isKept: true)

    static let spendColumns = [
        "calls", "cache_hits", "input_tokens", "output_tokens", "cache_write_tokens", "cache_read_tokens",
        "cost", "saved", "unconfirmed_cost", "shared_hits", "shared_saved", "batch_calls", "batch_cost",
        "batch_full_cost",
    ]
    fileprivate static let addSpends = Statement(
        "add-spends",
        assembled: """
            INSERT INTO spend_part (day, lane_id, \(spendColumns.joined(separator: ", ")), writer)
            SELECT new.*, pg_backend_pid() % 256
            FROM unnest(\((1...16).map { "$\($0)::bigint[]" }.joined(separator: ", "))) AS new
            ON CONFLICT (day, lane_id, writer) DO UPDATE SET \(sums(spendColumns, "spend_part"))
            """, Array(repeating: .bigints, count: 16), isKept: true)

    static let tagColumns = [
        "calls", "cache_hits", "cost", "saved", "unconfirmed_cost", "shared_hits", "shared_saved",
        "batch_calls", "batch_cost", "batch_full_cost",
    ]
    fileprivate static let addTagSpends = Statement(
        "add-tag-spends",
        assembled: """
            INSERT INTO spend_tag_part (day, tag, \(tagColumns.joined(separator: ", ")), writer)
            SELECT new.*, pg_backend_pid() % 256
            FROM unnest($1::bigint[], $2::text[], \((3...12).map { "$\($0)::bigint[]" }.joined(separator: ", "))) AS new
            ON CONFLICT (day, tag, tenant_id, writer) DO UPDATE SET \(sums(tagColumns, "spend_tag_part"))
            """, [.bigints, .texts] + Array(repeating: .bigints, count: 10), isKept: true)

    fileprivate static let addLatencies = Statement(
        "add-latencies",
        """
        INSERT INTO latency_part (minute, route_id, part, class, answers, writer)
        SELECT new.*, pg_backend_pid() % 256
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) AS new
        ON CONFLICT (minute, route_id, part, class, writer) DO UPDATE
        SET answers = latency_part.answers + excluded.answers
        """, .bigints, .bigints, .texts, .bigints, .bigints)
}
