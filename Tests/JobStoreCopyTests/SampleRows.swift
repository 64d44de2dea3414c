import TestSupport

@testable import JobStoreCopy

/// Rows of every table that both schemas take, with whatever else a value may be.
struct SampleRows {
    private var random: SeededRandom
    /// Rows of a table, if not a few.
    private let jobs: Int

    init(seed: UInt64, jobs: Int = 200) {
        random = SeededRandom(seed: seed)
        self.jobs = jobs
    }

    mutating func all() -> [(table: CopiedTable, rows: [CopiedRow])] {
        CopiedTable.all.map { table in (table, rows(of: table)) }
    }

    private mutating func rows(of table: CopiedTable) -> [CopiedRow] {
        let count =
            switch table.name {
            case "tenant": 3
            case "virtual_time", "prune_floor": 1
            case "job", "job_check", "job_tag", "attempt", "message_batch_item": jobs
            default: 20
            }
        return (0..<count).map { row(of: table, $0) }
    }

    private mutating func row(of table: CopiedTable, _ number: Int) -> CopiedRow {
        var values: [String: CopiedValue] = [:]
        for (index, column) in table.columns.enumerated() {
            let isNull = column.isOptional && Bool.random(using: &random)
            values[column.name] = isNull ? .null : value(column, isKey: index < table.keyCount, number)
        }
        for (name, value) in fixed(table.name, number, values) { values[name] = value }
        return table.columns.map { values[$0.name] ?? .null }
    }

    private mutating func value(_ column: CopiedColumn, isKey: Bool, _ number: Int) -> CopiedValue {
        switch column.kind {
        case .integer where isKey: return .integer(Int64(number + 1))
        case .integer: return .integer(integer())
        case .moment:
            return .integer(Bool.random(using: &random) ? MomentScale.limited(integer()) : 1_790_000_000_000)
        case .real:
            return .real(
                [0, 0.1, -1.5, 1e300, .leastNonzeroMagnitude, .infinity].randomElement(using: &random) ?? 0)
        case .flag: return .flag(Bool.random(using: &random))
        case .text: return .text(text(number))
        case .bytes: return .bytes(bytes() + [UInt8(truncatingIfNeeded: number), UInt8(number >> 8 & 255)])
        case .json: return .bytes(Array(#"{"type":"x","message":"ü\u0000"}"#.utf8))
        case .list: return .integers((0..<Int.random(in: 0...3, using: &random)).map { _ in integer() })
        }
    }

    private mutating func integer() -> Int64 {
        [0, 1, -1, 7, .min, .max, Int64.random(in: .min ... .max, using: &random)].randomElement(
            using: &random) ?? 0
    }

    /// Different for each number.
    private mutating func text(_ number: Int) -> String {
        let words = ["", "é", "'\"\\", "{a,\"b\"}", "日本語 🎈", "a\nb\t", "NULL", ",", "%_"]
        return (words.randomElement(using: &random) ?? "") + "\(number)"
    }

    private mutating func bytes() -> [UInt8] {
        (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// What the schemas demand.
    private mutating func fixed(
        _ table: String, _ number: Int, _ made: [String: CopiedValue]
    ) -> [String: CopiedValue] {
        let positive = CopiedValue.integer(Int64.random(in: 1 ... .max, using: &random))
        let one = CopiedValue.integer(1)
        return switch table {
        case "queue":
            [
                "concurrency": positive, "weight": positive, "running": positive,
                "max_input_tokens": positive, "tenant_id": one,
            ]
        case "route": ["gate": .text("open"), "running": positive, "concurrency": .null]
        case "bucket": ["kind": .text("requests"), "per_minute": positive]
        case "lane": ["queue_id": one, "route_id": one, "kind": .text("common")]
        case "batch", "budget", "lane_move", "message_batch", "spend_tag", "job_check":
            shared(table, positive)
        case "refusal_streak": ["refusals": positive]
        case "budget_window":
            [
                "budget_id": one, "settled": positive, "reserved": .integer(0), "unconfirmed_cost": positive,
                "starts_at": .integer(Int64(number)),
            ]
        case "provider_batch":
            ["route_id": one, "state": .text("filling"), "ended_at": .null]
        case "answer": ["route_id": one]
        case "message_batch_item": ["job_id": .integer(Int64(number + 1))]
        case "worker_service": ["credential_id": .integer(Int64(number + 1))]
        case "prune_floor": ["place": .integer(5 << 20)]
        case "job": job(number)
        case "attempt": attempt(number, made)
        default: [:]
        }
    }

    private func shared(_ table: String, _ positive: CopiedValue) -> [String: CopiedValue] {
        switch table {
        case "budget":
            ["tenant_id": .integer(1), "scope": .text("tag"), "span": .text("day"), "amount": positive]
        case "job_check": [:]
        default: ["tenant_id": .integer(1)]
        }
    }

    private mutating func job(_ number: Int) -> [String: CopiedValue] {
        let states = ["queued", "running", "review", "succeeded", "failed", "cancelled"]
        let state = states[number % states.count]
        let isHeld = state == "queued" && number % 4 == 0
        let hasEnded = number % states.count > 2
        var row: [String: CopiedValue] = [
            "lane_id": .integer(1), "state": .text(state), "ready": .flag(state == "queued" && !isHeld),
            "held_until": isHeld ? .integer(integer()) : .null,
            "held_hash": isHeld && number % 8 == 0 ? .bytes(bytes()) : .null,
            "attempt": .integer(.max), "attempts_counted": .integer(Int64(number)),
            "finished_at": hasEnded ? .integer(integer()) : .null,
            "finish_order": hasEnded ? .integer(Int64(number) << 20 | 1) : .null,
            "error_type": state == "failed" ? .text("x") : .null,
            "batch_id": number % 3 == 0 ? .integer(1) : .null, "batch_ordinal": .integer(Int64(number)),
            "has_check": .flag(true), "tenant_id": .integer(1), "request": .bytes(request(number)),
        ]
        if !hasEnded { (row["cached"], row["saved"]) = (.flag(false), .integer(0)) }
        if state == "succeeded" { row["answer_id"] = .integer(1) }
        if state == "failed" { row["error"] = .bytes(Array(#"{"type":"x"}"#.utf8)) }
        let key: CopiedValue = number % 5 == 0 ? .text("key") : .null
        (row["idempotency_key"], row["idempotency_ordinal"]) = (key, .integer(Int64(number)))
        return row
    }

    private mutating func request(_ number: Int) -> [UInt8] {
        number % (jobs / 4) == 0 ? [UInt8](repeating: UInt8(number & 255), count: 300_000) : bytes()
    }

    private func attempt(_ number: Int, _ made: [String: CopiedValue]) -> [String: CopiedValue] {
        guard number % 3 == 0 else {
            return [
                "status": .text(number % 3 == 1 ? "settled" : "written_off"), "verdict": .text("done"),
                "closed_at": made["opened_at"] ?? .null,
            ]
        }
        let empty = [
            "verdict", "closed_at", "input_tokens", "output_tokens", "cache_write_tokens",
            "cache_write_1h_tokens",
            "cache_read_tokens", "call_milliseconds", "request_id", "error",
        ]
        var row = Dictionary(uniqueKeysWithValues: empty.map { ($0, CopiedValue.null) })
        for name in ["cost", "unconfirmed_cost", "cleared"] { row[name] = .integer(0) }
        row["status"] = .text("open")
        row["counted"] = .flag(false)
        return row
    }
}
