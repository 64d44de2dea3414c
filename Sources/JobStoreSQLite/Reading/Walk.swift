import SQLite

/// An index walked in the order of ids, once from each of its starts; no job is met from two of them.
///
/// The planner is not asked which index: it does not know how many jobs a lane or a tag has. A statement that cannot use
/// the index it names does not compile.
struct Walk {
    enum Direction: String {
        case ascending = "ASC"
        case descending = "DESC"
    }

    /// The tables, with the index that is walked.
    let from: String
    /// The column that the index has the ids in.
    let id: String
    /// Where in the index to start, with a `?` for each value of a start.
    let entry: String
    var starts: [[Value]]
    /// What else must hold, asked of each job that is met.
    var conditions: Conditions

    init(
        _ from: String, id: String = "job.id", entry: String, starts: [[Value]],
        conditions: Conditions = Conditions()
    ) {
        self.from = from
        self.id = id
        self.entry = entry
        self.starts = starts
        self.conditions = conditions
    }

    /// Clauses and their values; only the program's own words become text.
    struct Conditions {
        private(set) var clauses: [String] = []
        private(set) var values: [Value] = []

        mutating func add(_ clause: String, _ value: Value? = nil) {
            clauses.append(clause)
            if let value { values.append(value) }
        }
    }

    /// The ids within the bounds, which are ?1 and ?2.
    private var clause: String {
        let all = ["\(id) >= ?", "\(id) <= ?", entry] + conditions.clauses
        return "FROM \(from) WHERE \(all.joined(separator: " AND "))"
    }

    func selection(_ direction: Direction) -> SQL {
        SQL(Self.numbered("SELECT \(id) \(clause) ORDER BY \(id) \(direction.rawValue) LIMIT ?"))
    }

    /// The same in the order of finishing behind a place, which is asked of each job that is met; so they are few.
    func finished() -> SQL {
        SQL(
            Self.numbered(
                """
                SELECT job.finish_order, job.id \(clause) AND job.finish_order > ? ORDER BY job.finish_order LIMIT ?
                """))
    }

    func counting() -> SQL {
        SQL(Self.numbered("SELECT count(*) \(clause)"))
    }

    func values(from start: [Value], within bounds: ClosedRange<Int64>) -> [Value] {
        [.integer(bounds.lowerBound), .integer(bounds.upperBound)] + start + conditions.values
    }

    private static func numbered(_ text: String) -> String {
        var number = 0
        return text.split(separator: "?", omittingEmptySubsequences: false).reduce(into: "") {
            numbered, part in
            numbered += number == 0 ? String(part) : "?\(number)\(part)"
            number += 1
        }
    }
}
