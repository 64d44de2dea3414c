import Postgres

/// An index walked in the order of ids, once from each of its starts; no job is met from two of them.
///
/// An index is named by its order: entries come by their start's key and then by id, and no other index has that order. So a walk
/// reads what it returns and nothing else, whatever the planner believes of lanes or tags.
struct Walk {
    enum Direction: String {
        case ascending = "ASC"
        case descending = "DESC"
    }

    enum Starts {
        case lanes([Int64])
        case batch(Int64)
        case tag(String)
        /// One for each queue, each with one job at most.
        case queues
        /// One for all jobs.
        case all
    }

    let starts: Starts
    let table: String
    /// The index's first column; nil if ids are.
    let key: String?
    let id: String
    /// What the entries have in common besides, with a `?` for its value.
    var clause: String?
    var value: Value?

    init(
        _ starts: Starts, in table: String, key: String?, id: String = "job_id", where clause: String? = nil,
        _ value: Value? = nil
    ) {
        self.starts = starts
        self.table = table
        self.key = key
        self.id = id
        self.clause = clause
        self.value = value
    }

    var startCount: Int {
        switch starts {
        case .lanes(let lanes): lanes.count
        case .queues: Self.someQueues
        case .batch, .tag, .all: 1
        }
    }

    private static let someQueues = 100
}

// MARK: - As SQL

extension Walk {
    /// The starts, as rows with their `key` and a number.
    func source(_ parameters: inout StatementParameters) -> String {
        let keys: String
        switch starts {
        case .lanes(let lanes): keys = "unnest(\(parameters.add(.integerArray(lanes))))"
        case .batch(let batch): keys = "unnest(\(parameters.add(.integerArray([batch]))))"
        case .tag(let tag): keys = "unnest(\(parameters.add(.textArray([tag]))))"
        case .queues: return "(SELECT id, row_number() OVER () FROM queue) AS start (key, number)"
        case .all: keys = "unnest(ARRAY[0])"
        }
        return "\(keys) WITH ORDINALITY AS start (key, number)"
    }

    /// The entries of one start with ids from `first` to `last`, as rows with an `id`.
    func entries(from first: String, to last: String, _ parameters: inout StatementParameters) -> String {
        var clauses: [String] = []
        if let clause {
            clauses.append(value.map { clause.replacing("?", with: parameters.add($0)) } ?? clause)
        }
        switch (starts, key) {
        case (.queues, let key?):
            clauses += ["\(key) = start.key", "\(id) >= \(first)", "\(id) <= \(last)"]
        case (_, let key?):
            clauses += [
                "(\(key), \(id)) >= (start.key, \(first))", "(\(key), \(id)) <= (start.key, \(last))",
            ]
        case (_, nil): clauses += ["\(id) >= \(first)", "\(id) <= \(last)"]
        }
        return "SELECT \(id) AS id FROM \(table) WHERE \(clauses.joined(separator: " AND "))"
    }

    func order(_ direction: Direction) -> String {
        let columns = [key, id].compactMap { $0 }.map { "\($0) \(direction.rawValue)" }
        return "ORDER BY \(columns.joined(separator: ", "))"
    }
}

/// What a statement is called with, numbered as its text is put together.
struct StatementParameters {
    private(set) var values: [Value] = []

    var types: [ValueType] { values.map(\.type) }

    /// The parameter as the text names it.
    mutating func add(_ value: Value) -> String {
        values.append(value)
        return "$\(values.count)::\(value.type.sql)"
    }
}

extension Value {
    fileprivate var type: ValueType {
        switch self {
        case .integer: .bigint
        case .real: .double
        case .bool: .bool
        case .text: .text
        case .bytes: .bytea
        case .integerArray, .integers: .bigints
        case .textArray, .texts: .texts
        case .bytesArray, .byteStrings: .byteas
        case .reals: .doubles
        case .bools: .bools
        }
    }
}

extension ValueType {
    fileprivate var sql: String {
        switch self {
        case .bool: "boolean"
        case .bytea: "bytea"
        case .bigint: "bigint"
        case .text: "text"
        case .double: "double precision"
        case .xid8: "xid8"
        case .bools: "boolean[]"
        case .byteas: "bytea[]"
        case .texts: "text[]"
        case .bigints: "bigint[]"
        case .doubles: "double precision[]"
        case .xid8s: "xid8[]"
        }
    }
}
