import Crypto

/// What the rows of a table come to: equal in both databases if the rows are.
package struct TableSum: Sendable, Equatable {
    package let table: String
    package let rows: Int
    /// SHA-256 over all values in the order of the keys, in hexadecimal.
    package let checksum: String
}

/// Adds up rows in the order of their keys.
struct RowSum: ~Copyable {
    private var hasher = SHA256.Hasher()
    private var count = 0

    mutating func add(_ rows: [CopiedRow]) {
        var bytes: [UInt8] = []
        for value in rows.joined() { value.write(to: &bytes) }
        hasher.update(bytes)
        count += rows.count
    }

    consuming func finish(_ table: CopiedTable) -> TableSum {
        TableSum(table: table.name, rows: count, checksum: hasher.finish().hex)
    }
}

extension CopiedValue {
    /// Its kind, its length or number, its bytes: no two values are written alike.
    fileprivate func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(0)
        case .integer(let number): bytes.append(1, UInt64(bitPattern: number))
        case .real(let number): bytes.append(2, number.bitPattern)
        case .flag(let flag): bytes.append(flag ? 4 : 3)
        case .text(let text):
            bytes.append(5, UInt64(text.utf8.count))
            bytes += text.utf8
        case .bytes(let content):
            bytes.append(6, UInt64(content.count))
            bytes += content
        case .integers(let numbers):
            bytes.append(7, UInt64(numbers.count))
            for number in numbers { bytes.append(1, UInt64(bitPattern: number)) }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ kind: UInt8, _ number: UInt64) {
        append(kind)
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
