import CPQ

/// What one statement answered, in memory as libpq has read it; values are decoded when they are asked for.
package final class Rows: Sendable {
    // libpq's functions for a result read it only, and nobody has it but this object, which frees it.
    nonisolated(unsafe) private let result: OpaquePointer
    // Set once for all (see Library).
    nonisolated(unsafe) private let functions: Library.Functions
    package let count: Int
    private let columnCount: Int
    let statement: String

    /// Takes the result over.
    init(_ result: OpaquePointer, of statement: String, _ functions: Library.Functions) {
        self.result = result
        self.functions = functions
        self.statement = statement
        count = Swift.max(0, Int(functions.pointee.row_count(result)))
        columnCount = Swift.max(0, Int(functions.pointee.column_count(result)))
    }

    deinit {
        functions.pointee.clear(result)
    }

    /// Rows that an INSERT, UPDATE or DELETE touched, or a SELECT returned.
    package var touched: Int {
        functions.pointee.command_rows(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// What was done, as the server names it: `COMMIT`, `INSERT 0 1`.
    var tag: String { functions.pointee.command_tag(result).map { String(cString: $0) } ?? "" }

    /// The bytes of a value, which lie unaligned and as long as this object; nil for NULL.
    func bytes(_ row: Int, _ column: Int, as type: ValueType) throws(PostgresError) -> UnsafeRawBufferPointer?
    {
        guard 0..<count ~= row, 0..<columnCount ~= column else {
            throw defect("there is no column \(column) in row \(row)")
        }
        let (row, place) = (Int32(row), Int32(column))
        let found = functions.pointee.column_type(result, place)
        guard found == type.rawValue, functions.pointee.column_format(result, place) == 1 else {
            throw defect("column \(column) is not of the type \(type), but of that with OID \(found)")
        }
        if functions.pointee.is_null(result, row, place) == 1 { return nil }
        let length = Int(functions.pointee.length(result, row, place))
        guard length >= 0, let start = functions.pointee.value(result, row, place) else {
            throw defect("column \(column) has no value")
        }
        return UnsafeRawBufferPointer(start: start, count: length)
    }

    func defect(_ reason: String) -> PostgresError {
        PostgresError(.badAnswer, reason, statement: statement)
    }
}

extension Rows: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }
    package subscript(row: Int) -> Row { Row(self, row) }
}
