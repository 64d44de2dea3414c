import Postgres

/// A parameter of a statement, with its type.
enum Value {
    case integer(Int64?)
    case real(Double?)
    case bool(Bool?)
    case text(String?)
    case bytes([UInt8]?)
    /// Arrays by themselves, for `= ANY ($1)`.
    case integerArray([Int64])
    case textArray([String])
    case bytesArray([[UInt8]])
    /// Columns of rows for `unnest`, all of one length.
    case integers([Int64?])
    case reals([Double?])
    case bools([Bool?])
    case texts([String?])
    case byteStrings([[UInt8]?])

    static func integer(_ value: Int?) -> Value { .integer(value.map { Int64($0) }) }
    static func integers(_ values: [Int]) -> Value { .integers(values.map { Int64($0) }) }

    fileprivate func add(to arguments: inout Arguments) {
        switch self {
        case .integer(let value): arguments.add(value)
        case .real(let value): arguments.add(value)
        case .bool(let value): arguments.add(value)
        case .text(let value): arguments.add(value.map(\.withoutNUL))
        case .bytes(let value): arguments.add(value)
        case .integerArray(let values): arguments.add(array: values)
        case .textArray(let values): arguments.add(array: values.map(\.withoutNUL))
        case .bytesArray(let values): arguments.add(array: values)
        case .integers(let values): arguments.add(column: values)
        case .reals(let values): arguments.add(column: values)
        case .bools(let values): arguments.add(column: values)
        case .texts(let values): arguments.add(column: values.map { $0.map(\.withoutNUL) })
        case .byteStrings(let values): arguments.add(column: values)
        }
    }
}

extension String {
    /// As PostgreSQL keeps it: the one character that its text cannot hold is replaced.
    fileprivate var withoutNUL: String {
        utf8.contains(0) ? String(map { $0 == "\0" ? "\u{FFFD}" : $0 }) : self
    }
}

extension Call {
    init(_ statement: Statement, _ values: [Value]) {
        var arguments = Arguments()
        for value in values { value.add(to: &arguments) }
        self.init(statement, arguments)
    }
}

extension Row {
    func int(_ column: Int) throws(PostgresError) -> Int { Int(try int64(column)) }
    func intOrNil(_ column: Int) throws(PostgresError) -> Int? { try int64OrNil(column).map { Int($0) } }
}
