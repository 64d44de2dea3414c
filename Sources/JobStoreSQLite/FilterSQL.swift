import Jobs
import SQLite

/// A `JobFilter` as a WHERE clause over `job`, with its values; only the program's own words become text.
struct FilterSQL {
    private(set) var clauses: [String] = []
    private(set) var values: [Value] = []

    /// `states` narrows further, for verbs that make sense in some states only.
    init(_ filter: JobFilter, states: [JobState] = []) {
        if let state = filter.state { add("job.state = ?", .text(state.rawValue)) }
        if !states.isEmpty {
            clauses.append("job.state IN (" + states.map { "'\($0.rawValue)'" }.joined(separator: ", ") + ")")
        }
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

    var whereClause: String {
        clauses.isEmpty ? "" : "WHERE " + clauses.joined(separator: " AND ")
    }

    /// The first ids behind `after`, so that a change in portions reads every job once.
    func ids(after: JobID?, limit: Int, _ connection: Connection) throws -> [Int64] {
        var narrowed = self
        if let after { narrowed.add("job.id > ?", .integer(after.value)) }
        let sql = SQL("SELECT job.id FROM job \(narrowed.whereClause) ORDER BY job.id LIMIT \(limit)")
        return try connection.query(sql, narrowed.values) { row in row.int64(0) }
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
