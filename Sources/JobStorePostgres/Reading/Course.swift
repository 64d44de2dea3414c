import Postgres

/// Walks that meet all jobs of a filter, and what is asked of each job that they meet.
struct Way {
    var walks: [Walk]
    var conditions: Conditions

    /// Clauses over a job that was met, with a `?` for their values; only the program's own words become text.
    struct Conditions {
        struct Clause {
            let text: String
            let value: Value?
            let needs: Needs
        }

        /// What is read of the job that was met.
        enum Needs {
            case id, job, place
        }

        private(set) var clauses: [Clause] = []

        mutating func add(_ text: String, _ value: Value? = nil, of needs: Needs) {
            clauses.append(Clause(text: text, value: value, needs: needs))
        }
    }

    /// Whether whatever is met is found.
    var isExact: Bool { conditions.clauses.isEmpty }

    /// The entries that are met, as a table `met` with their `id`, after which the joins and clauses of the conditions may follow.
    func joins(_ parameters: inout StatementParameters) -> String {
        var joins = ""
        let needs = conditions.clauses.map(\.needs)
        if needs.contains(.job) { joins += "\nJOIN job ON job.id = met.id" }
        if needs.contains(.place) { joins += "\n" + Self.place }
        let clauses = conditions.clauses.map { clause in
            clause.value.map { clause.text.replacing("?", with: parameters.add($0)) } ?? clause.text
        }
        return joins + (clauses.isEmpty ? "" : "\nWHERE \(clauses.joined(separator: " AND "))")
    }

    // The limit has the planner look each one up.
    private static let place = """
        CROSS JOIN LATERAL (
            SELECT lane_id, state, error_type FROM job_place WHERE job_place.job_id = met.id LIMIT 1
        ) AS place
        JOIN lane ON lane.id = place.lane_id
        JOIN route ON route.id = lane.route_id
        """
}

/// A way gone some entries at a time: what was found so far, and where to go on.
struct Course {
    private let way: Way
    private let direction: Walk.Direction
    private let limit: Int
    /// The ids that were not met yet; nil if there are none.
    private var bounds: ClosedRange<Int64>?
    private(set) var found: [Int64] = []

    init(_ way: Way, _ direction: Walk.Direction, within bounds: ClosedRange<Int64>, limit: Int) {
        self.way = way
        self.direction = direction
        self.bounds = way.walks.isEmpty ? nil : bounds
        self.limit = limit
    }

    /// Whether nothing more is to be found.
    var hasArrived: Bool { bounds == nil || found.count >= limit }

    /// Meets so many entries more at most; nil if it has arrived.
    func call(meeting look: Int) -> Call? {
        guard let bounds, !hasArrived else { return nil }
        var next = Look(
            way, direction, within: bounds, entries: way.isExact ? limit : max(limit, look),
            limit: limit - found.count)
        return next.call()
    }

    mutating func take(_ rows: Rows) throws {
        guard let row = rows.first, let bounds else { return }
        found += try row.int64s(2).compactMap(\.self)
        guard try !row.bool(0), let last = try row.int64OrNil(1) else {
            self.bounds = nil
            return
        }
        self.bounds = direction == .ascending ? bounds.above(last) : bounds.below(last)
    }
}

/// The statement that meets the next entries of a way: all walks' entries in one order, each start's in part.
///
/// The first start in that order has as many as are asked for, the second half of them, the third a third: so that jobs of one start cost as
/// little as jobs of a thousand in turn. What lies behind the last entry of a start that has more is not known, and is left to the next
/// statement. However many jobs there are, this one looks at each start once, and reads some times as many entries as are asked for.
private struct Look {
    private let way: Way
    private let direction: Walk.Direction
    private var parameters = StatementParameters()
    private let first: String
    private let last: String
    private let entries: String
    private let limit: String

    init(
        _ way: Way, _ direction: Walk.Direction, within bounds: ClosedRange<Int64>, entries: Int, limit: Int
    ) {
        self.way = way
        self.direction = direction
        first = parameters.add(.integer(bounds.lowerBound))
        last = parameters.add(.integer(bounds.upperBound))
        self.entries = parameters.add(.integer(entries))
        self.limit = parameters.add(.integer(limit))
    }

    mutating func call() -> Call {
        var walks: [String] = []
        for number in way.walks.indices { walks.append(walk(number)) }
        let joins = way.joins(&parameters)
        let (order, farthest) = (direction.rawValue, direction == .ascending ? "max" : "min")
        let (nearest, isKnown) = direction == .ascending ? ("min", "<=") : ("max", ">=")
        let text = """
            WITH entry AS MATERIALIZED (
            \(walks.joined(separator: "\nUNION ALL\n"))
            ), known AS MATERIALIZED (
                SELECT \(nearest)(last.id) AS id
                FROM (SELECT \(farthest)(id) AS id FROM entry GROUP BY walk, start HAVING count(*) = min(share)) AS last
            ), met AS MATERIALIZED (
                SELECT entry.id
                FROM entry
                CROSS JOIN known
                WHERE known.id IS NULL OR entry.id \(isKnown) known.id
                ORDER BY entry.id \(order)
                LIMIT \(entries)
            )
            SELECT (SELECT count(*) FROM met) < \(entries) AND (SELECT id IS NULL FROM known),
                (SELECT \(farthest)(id) FROM met),
                ARRAY(SELECT met.id FROM met \(joins) ORDER BY met.id \(order) LIMIT \(limit))
            """
        return Call(Statement("search", assembled: text, parameters.types), parameters.values)
    }

    /// Starts beyond so many have nothing to add to so many entries.
    private mutating func walk(_ number: Int) -> String {
        let walk = way.walks[number]
        let source = walk.source(&parameters)
        let rows = walk.entries(from: first, to: last, &parameters) + " " + walk.order(direction)
        let order = "ORDER BY head.id \(direction.rawValue)"
        return """
            (
                SELECT \(number) AS walk, start.number AS start, start.share, entry.id
                FROM (
                    SELECT start.key, start.number, greatest(\(entries) / row_number() OVER (\(order)), 1) AS share
                    FROM \(source)
                    CROSS JOIN LATERAL (\(rows) LIMIT 1) AS head
                    \(order)
                    LIMIT \(entries)
                ) AS start
                CROSS JOIN LATERAL (\(rows) LIMIT start.share) AS entry
            )
            """
    }
}

extension ClosedRange<Int64> {
    func above(_ value: Int64) -> Self? {
        value < lowerBound ? self : value < upperBound ? (value + 1)...upperBound : nil
    }

    func below(_ value: Int64) -> Self? {
        value > upperBound ? self : value > lowerBound ? lowerBound...(value - 1) : nil
    }
}

extension Way {
    /// How many jobs it finds, all of them met.
    func counting(within bounds: ClosedRange<Int64>) -> Call {
        var parameters = StatementParameters()
        let first = parameters.add(.integer(bounds.lowerBound))
        let last = parameters.add(.integer(bounds.upperBound))
        var entries: [String] = []
        for walk in walks {
            let source = walk.source(&parameters)
            let rows = walk.entries(from: first, to: last, &parameters)
            entries.append("(SELECT entry.id FROM \(source) CROSS JOIN LATERAL (\(rows)) AS entry)")
        }
        let met = entries.joined(separator: "\nUNION ALL\n")
        let text = "SELECT count(*) FROM (\n\(met)\n) AS met \(joins(&parameters))"
        return Call(Statement("search-count", assembled: text, parameters.types), parameters.values)
    }
}
