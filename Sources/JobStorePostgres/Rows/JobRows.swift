import Jobs
import Postgres
import StoreRules

/// Where a job stands, and what changes while it goes from place to place.
struct JobRow {
    enum Place: Equatable {
        case waiting(until: Int64?, under: [UInt8]?)
        case running
        case review
        case ended(JobState)

        var table: Table {
            switch self {
            case .waiting: .waiting
            case .running, .review: .running
            case .ended: .ended
            }
        }
    }

    enum Table: CaseIterable {
        case waiting, running, ended
    }

    let id: Int64
    var lane: Int64
    var place: Place
    var attempt: Int64
    var attemptsCounted: Int64
    var failures: Int64
    var crashCount: Int64
    var position: Int64
    var cause: String?
    var skipsCoalescing: Bool
    var blame: JobBlame?
    var forgiven: Int64
    var startedAt: Int64?
    var answer: Int64?
    var cost: Int64
    var error: [UInt8]?
    // Of one that has ended.
    var errorType: String?
    var finishedAt: Int64?
    var finishOrder: Int64?
    var isCached: Bool
    var saved: Int64

    /// Where it is in the database; nil if it is nowhere.
    fileprivate(set) var stored: Table?

    var state: JobState {
        switch place {
        case .waiting: .queued
        case .running: .running
        case .review: .review
        case .ended(let state): state
        }
    }
}

/// Jobs that a transaction has read, with what it has changed of them and not written yet.
struct JobRows {
    private var rows: [Int64: JobRow] = [:]
    private(set) var changed: Set<Int64> = []

    subscript(_ id: Int64) -> JobRow? { rows[id] }

    mutating func load(_ row: JobRow) {
        if rows[row.id] == nil { rows[row.id] = row }
    }

    mutating func change(_ id: Int64, _ change: (inout JobRow) -> Void) {
        guard var row = rows[id] else { return }
        change(&row)
        rows[id] = row
        changed.insert(id)
    }

    mutating func delete(_ id: Int64) {
        rows[id] = nil
        changed.remove(id)
    }

    /// Those that wait for a prompt's answer may have been released.
    mutating func forgetHeld() {
        rows = rows.filter { _, row in
            if case .waiting(_, .some) = row.place { false } else { true }
        }
    }

    /// What is to be deleted and inserted, by table, and then counts as written.
    mutating func takeChanges() -> (gone: [JobRow.Table: [Int64]], new: [JobRow.Table: [JobRow]]) {
        var (gone, new) = ([JobRow.Table: [Int64]](), [JobRow.Table: [JobRow]]())
        for id in changed.sorted() {
            guard let row = rows[id] else { continue }
            if let stored = row.stored { gone[stored, default: []].append(id) }
            new[row.place.table, default: []].append(row)
            rows[id]?.stored = row.place.table
        }
        changed = []
        return (gone, new)
    }
}

// MARK: - Reading

extension JobRow {
    /// The columns of `job_place`, as `place`.
    static let columns = """
        place.job_id, place.lane_id, place.state, place.held_until, place.held_hash, place.attempt, place.attempts_counted,
        place.failures, place.crash_count, place.fallback, place.fallback_cause, place.skip_coalescing, place.blame_route_id,
        place.blame_mark, place.forgiven, place.started_at, place.answer_id, place.cost, place.error, place.error_type,
        place.finished_at, place.finish_order, place.cached, place.saved
        """
    static let columnCount = 24

    init(_ row: Row, from first: Int) throws {
        id = try row.int64(first)
        lane = try row.int64(first + 1)
        place = try Self.place(row, from: first)
        attempt = try row.int64(first + 5)
        attemptsCounted = try row.int64(first + 6)
        failures = try row.int64(first + 7)
        crashCount = try row.int64(first + 8)
        position = try row.int64(first + 9)
        cause = try row.textOrNil(first + 10)
        skipsCoalescing = try row.bool(first + 11)
        blame = try row.int64OrNil(first + 12).map { JobBlame(route: $0, mark: try row.int(first + 13)) }
        forgiven = try row.int64(first + 14)
        startedAt = try row.int64OrNil(first + 15)
        answer = try row.int64OrNil(first + 16)
        cost = try row.int64(first + 17)
        error = try row.bytesOrNil(first + 18)
        errorType = try row.textOrNil(first + 19)
        finishedAt = try row.int64OrNil(first + 20)
        finishOrder = try row.int64OrNil(first + 21)
        isCached = try row.bool(first + 22)
        saved = try row.int64(first + 23)
        stored = place.table
    }

    private static func place(_ row: Row, from first: Int) throws -> Place {
        switch try row.text(first + 2) {
        case "queued":
            .waiting(until: try row.int64OrNil(first + 3), under: try row.bytesOrNil(first + 4))
        case "running": .running
        case "review": .review
        case let word: .ended(JobState(rawValue: word) ?? .failed)
        }
    }
}

extension Statement {
    fileprivate static let jobRows = Statement(
        "job-rows",
        assembled: "SELECT \(JobRow.columns) FROM job_place AS place WHERE place.job_id = ANY ($1::bigint[])",
        [.bigints], isKept: true)
}

extension WriteContext {
    /// Has these jobs' rows in memory; those that do not exist are left out.
    func loadRows(_ ids: [Int64]) throws {
        let missing = Array(Set(ids.filter { rows[$0] == nil }))
        guard !missing.isEmpty else { return }
        for row in try query(.jobRows, [.integerArray(missing)]) { rows.load(try JobRow(row, from: 0)) }
    }

    func change(_ job: Int64, _ change: (inout JobRow) -> Void) throws {
        try loadRows([job])
        rows.change(job, change)
    }
}
