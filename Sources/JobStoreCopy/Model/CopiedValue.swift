/// A value as both databases mean it; moments are in the milliseconds of the PostgreSQL database's clock.
enum CopiedValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case flag(Bool)
    case text(String)
    case bytes([UInt8])
    case integers([Int64])
}

/// One row, its values in the order of its table's columns.
typealias CopiedRow = [CopiedValue]

extension CopiedValue {
    /// A guess at what it takes in memory.
    var size: Int {
        switch self {
        case .text(let text): 16 + text.utf8.count
        case .bytes(let bytes): 16 + bytes.count
        case .integers(let numbers): 16 + 8 * numbers.count
        case .null, .integer, .real, .flag: 16
        }
    }

    /// A list of numbers as SQLite has it.
    static func listText(_ numbers: [Int64]) -> String { "," + numbers.map { "\($0)," }.joined() }

    /// The order of both databases, for values of one column of a key.
    static func precedes(_ a: CopiedValue, _ b: CopiedValue) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): a < b
        case (.flag(let a), .flag(let b)): !a && b
        case (.text(let a), .text(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
        default: false
        }
    }
}

extension CopiedValue: CustomStringConvertible {
    /// For messages: of what is long or not to be read only its size.
    var description: String {
        switch self {
        case .null: "null"
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .text(let text) where text.utf8.count <= 100: text.debugDescription
        case .text(let text): "a text of \(text.utf8.count) bytes"
        case .bytes(let bytes): "\(bytes.count) bytes"
        case .integers(let numbers): "\(numbers.count) numbers"
        }
    }
}
