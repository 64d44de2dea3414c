/// The parameters of one call in their order, written into one buffer as PostgreSQL reads them.
///
/// What is wrong with them (`defect`) is thrown when the call is made, before anything is sent.
package struct Arguments: Sendable {
    /// All parameters of one call together.
    static let byteLimit = 256 << 20

    private(set) var types: [ValueType] = []
    /// Where each value lies in `bytes`; nil for NULL.
    private(set) var spans: [Range<Int>?] = []
    private(set) var bytes: [UInt8] = []
    private var rowCount: Int?
    private var hasUnequalColumns = false

    package init() {}

    package mutating func add(_ value: Int64?) { append(value) }
    package mutating func add(_ value: Double?) { append(value) }
    package mutating func add(_ value: Bool?) { append(value) }
    package mutating func add(_ value: String?) { append(value) }
    package mutating func add(_ value: [UInt8]?) { append(value) }
    /// An xid8, a transaction's number.
    package mutating func add(_ value: UInt64?) { append(value) }

    /// An array by itself, for `= ANY ($1)`; the same for the other types.
    package mutating func add(array: [Int64?]) { append(array) }
    package mutating func add(array: [Double?]) { append(array) }
    package mutating func add(array: [Bool?]) { append(array) }
    package mutating func add(array: [String?]) { append(array) }
    package mutating func add(array: [[UInt8]?]) { append(array) }
    package mutating func add(array: [UInt64?]) { append(array) }

    /// A column of the rows that `unnest ($1, $2)` makes; the same for the other types.
    ///
    /// All columns of a call must be of one length: PostgreSQL would fill a shorter one up with NULL.
    package mutating func add(column: [Int64?]) { append(column: column) }
    package mutating func add(column: [Double?]) { append(column: column) }
    package mutating func add(column: [Bool?]) { append(column: column) }
    package mutating func add(column: [String?]) { append(column: column) }
    package mutating func add(column: [[UInt8]?]) { append(column: column) }
    package mutating func add(column: [UInt64?]) { append(column: column) }

    /// Why they cannot be sent.
    func defect(for statement: Statement) -> PostgresError? {
        let reason: String
        if types != statement.parameters {
            reason = "parameters are \(types), the statement takes \(statement.parameters)"
        } else if hasUnequalColumns {
            reason = "columns of rows have unequal lengths"
        } else if bytes.count > Self.byteLimit {
            reason = "parameters have more than \(Self.byteLimit) bytes"
        } else {
            return nil
        }
        return PostgresError(.badArguments, reason, statement: statement.name)
    }

    private mutating func append<V: BinaryValue>(_ value: V?) {
        types.append(V.type)
        guard let value else { return spans.append(nil) }
        let start = bytes.count
        value.write(to: &bytes)
        spans.append(start..<bytes.count)
    }

    private mutating func append<V: BinaryValue>(column: [V?]) {
        if let rowCount, rowCount != column.count { hasUnequalColumns = true }
        rowCount = column.count
        append(column)
    }

    /// Dimensions, whether there are nulls, the elements' type, length and first index; then each behind its length.
    private mutating func append<V: BinaryValue>(_ array: [V?]) {
        types.append(V.arrayType)
        let start = bytes.count
        bytes.reserveCapacity(start + 20 + array.count * (4 + V.usualSize))
        bytes.append(bigEndian: Int32(array.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(array.contains { $0 == nil } ? 1 : 0))
        bytes.append(bigEndian: V.type.rawValue)
        if !array.isEmpty {
            bytes.append(bigEndian: Int32(clamping: array.count))
            bytes.append(bigEndian: Int32(1))
        }
        for element in array {
            let place = bytes.count
            bytes.append(bigEndian: Int32(-1))
            guard let element else { continue }
            element.write(to: &bytes)
            bytes.setLength(bytes.count - place - 4, at: place)
        }
        spans.append(start..<bytes.count)
    }
}
