import Jobs
import SQLite

/// A `JobFilter` as a WHERE clause over `job`, with its values; only the program's own words become text.
struct FilterSQL {
    private let state: JobState?
    private var clauses: [String] = []
    private(set) var values: [Value] = []

    init(_ filter: JobFilter) {
        state = filter.state
        if let queue = filter.queue {
            add("job.queue_id = (SELECT id FROM queue WHERE name = ?)", .text(queue))
        }
        if let batch = filter.batch { add("job.batch_id = ?", .integer(batch.value)) }
        if let key = filter.key { add("job.key = ?", .text(key)) }
        if let tag = filter.tag { add("job.id IN (SELECT job_id FROM job_tag WHERE tag = ?)", .text(tag)) }
        if let model = filter.model {
            add(
                "job.lane_id IN (SELECT lane.id FROM lane JOIN route ON route.id = lane.route_id WHERE route.model = ?)",
                .text(model))
        }
        if let type = filter.errorType {
            add("job.state = 'failed' AND json_extract(job.error, '$.type') = ?", .text(type))
        }
        // Ids are creation times, so the primary key answers for both.
        if let after = filter.createdAfter { add("job.id >= ?", .integer((after + 1).firstID)) }
        if let before = filter.createdBefore { add("job.id < ?", .integer(before.firstID)) }
    }

    mutating func add(_ clause: String, _ value: Value) {
        values.append(value)
        clauses.append(clause.replacing("?", with: "?\(values.count)"))
    }

    var whereClause: String { clause(in: state) }

    private func clause(in state: JobState?) -> String {
        let all = (state.map { [Self.clause($0)] } ?? []) + clauses
        return all.isEmpty ? "" : "WHERE " + all.joined(separator: " AND ")
    }

    /// A state in the words of the index that has its jobs: the state alone says nothing to the planner where the index
    /// is of several.
    private static func clause(_ state: JobState) -> String {
        let clause = "job.state = '\(state.rawValue)'"
        return switch state {
        case .queued: "job.finish_order IS NULL AND " + clause
        case .running: "job.id IN (SELECT job_id FROM attempt WHERE fate = 'open') AND " + clause
        case .failed, .cancelled, .review, .succeeded: clause
        }
    }

    /// The first ids behind `after`, so that a change in portions reads every job once; for verbs that make sense in
    /// these states only.
    func ids(in states: [JobState], after: JobID?, limit: Int, _ connection: Connection) throws -> [Int64] {
        guard let (text, values) = selection(in: states, after: after, limit: limit) else { return [] }
        return try connection.query(SQL(text), values) { row in row.int64(0) }
    }

    /// A SELECT for each state, merged: `state IN (…)` would read all jobs there are.
    ///
    /// Nil where the filter's own state is none of them.
    func selection(in states: [JobState], after: JobID?, limit: Int) -> (text: String, values: [Value])? {
        var narrowed = self
        if let after { narrowed.add("job.id > ?", .integer(after.value)) }
        let selects = states.filter { state == nil || state == $0 }
            .map { "SELECT job.id FROM job \(narrowed.clause(in: $0))" }
        guard !selects.isEmpty else { return nil }
        let all = selects.joined(separator: " UNION ALL ")
        return ("\(all) ORDER BY 1 LIMIT \(limit)", narrowed.values)
    }

    func count(_ connection: Connection) throws -> Int {
        try connection.queryOne(SQL("SELECT count(*) FROM job \(whereClause)"), values) { row in row.int(0) }
            ?? 0
    }
}

extension Timestamp {
    /// The least number that a job or a place in the order of finishing gets at this time; ids end in the year 2248.
    var firstID: Int64 {
        min(max(milliseconds, 0), Int64.max >> 20) << 20
    }
}
