/// One row; columns are numbered from 0.
///
/// Everything throws `badAnswer` if the column is not there or of another type: as with a server that is broken. Only
/// `…OrNil` takes NULL.
package struct Row: Sendable {
    private let rows: Rows
    private let number: Int

    init(_ rows: Rows, _ number: Int) {
        self.rows = rows
        self.number = number
    }

    private func valueOrNil<V: BinaryValue>(_ column: Int) throws(PostgresError) -> V? {
        guard let bytes = try rows.bytes(number, column, as: V.type) else { return nil }
        guard let value = V(binary: bytes) else { throw rows.defect("column \(column) holds no \(V.type)") }
        return value
    }

    private func value<V: BinaryValue>(_ column: Int) throws(PostgresError) -> V {
        guard let value: V = try valueOrNil(column) else { throw rows.defect("column \(column) is NULL") }
        return value
    }

    private func array<V: BinaryValue>(_ column: Int) throws(PostgresError) -> [V?] {
        guard let bytes = try rows.bytes(number, column, as: V.arrayType) else {
            throw rows.defect("column \(column) is NULL")
        }
        var reader = ArrayReader<V>(bytes)
        guard let elements = reader.elements() else {
            throw rows.defect("column \(column) holds no array of \(V.type)")
        }
        return elements
    }
}

extension Row {
    package func int64(_ column: Int) throws(PostgresError) -> Int64 { try value(column) }
    package func double(_ column: Int) throws(PostgresError) -> Double { try value(column) }
    package func bool(_ column: Int) throws(PostgresError) -> Bool { try value(column) }
    package func text(_ column: Int) throws(PostgresError) -> String { try value(column) }
    package func bytes(_ column: Int) throws(PostgresError) -> [UInt8] { try value(column) }
    package func xid8(_ column: Int) throws(PostgresError) -> UInt64 { try value(column) }

    package func int64OrNil(_ column: Int) throws(PostgresError) -> Int64? { try valueOrNil(column) }
    package func doubleOrNil(_ column: Int) throws(PostgresError) -> Double? { try valueOrNil(column) }
    package func boolOrNil(_ column: Int) throws(PostgresError) -> Bool? { try valueOrNil(column) }
    package func textOrNil(_ column: Int) throws(PostgresError) -> String? { try valueOrNil(column) }
    package func bytesOrNil(_ column: Int) throws(PostgresError) -> [UInt8]? { try valueOrNil(column) }
    package func xid8OrNil(_ column: Int) throws(PostgresError) -> UInt64? { try valueOrNil(column) }

    package func int64s(_ column: Int) throws(PostgresError) -> [Int64?] { try array(column) }
    package func doubles(_ column: Int) throws(PostgresError) -> [Double?] { try array(column) }
    package func bools(_ column: Int) throws(PostgresError) -> [Bool?] { try array(column) }
    package func texts(_ column: Int) throws(PostgresError) -> [String?] { try array(column) }
    package func byteas(_ column: Int) throws(PostgresError) -> [[UInt8]?] { try array(column) }
    package func xid8s(_ column: Int) throws(PostgresError) -> [UInt64?] { try array(column) }
}
