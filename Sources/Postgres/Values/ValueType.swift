/// The types that statements take and rows have, by their OIDs, which never change (pg_type.dat).
package enum ValueType: UInt32, Sendable {
    case bool = 16
    case bytea = 17
    case bigint = 20
    case text = 25
    case double = 701
    case xid8 = 5069
    case bools = 1000
    case byteas = 1001
    case texts = 1009
    case bigints = 1016
    case doubles = 1022
    case xid8s = 271
}

/// What PostgreSQL sends and takes in its binary format, which is big-endian.
protocol BinaryValue {
    static var type: ValueType { get }
    static var arrayType: ValueType { get }
    /// A guess at the bytes of one, to reserve them.
    static var usualSize: Int { get }

    /// Nil if the bytes are not such a value's.
    init?(binary: UnsafeRawBufferPointer)
    func write(to bytes: inout [UInt8])
}

extension Int64: BinaryValue {
    static var type: ValueType { .bigint }
    static var arrayType: ValueType { .bigints }
    static var usualSize: Int { 8 }

    init?(binary: UnsafeRawBufferPointer) {
        guard let bits = UInt64(binary: binary) else { return nil }
        self.init(bitPattern: bits)
    }

    func write(to bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
}

/// A transaction's number.
extension UInt64: BinaryValue {
    static var type: ValueType { .xid8 }
    static var arrayType: ValueType { .xid8s }
    static var usualSize: Int { 8 }

    init?(binary: UnsafeRawBufferPointer) {
        guard binary.count == 8 else { return nil }
        self.init(bigEndian: binary.loadUnaligned(as: UInt64.self))
    }

    func write(to bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
}

extension Double: BinaryValue {
    static var type: ValueType { .double }
    static var arrayType: ValueType { .doubles }
    static var usualSize: Int { 8 }

    init?(binary: UnsafeRawBufferPointer) {
        guard let bits = UInt64(binary: binary) else { return nil }
        self.init(bitPattern: bits)
    }

    func write(to bytes: inout [UInt8]) { bytes.append(bigEndian: bitPattern) }
}

extension Bool: BinaryValue {
    static var type: ValueType { .bool }
    static var arrayType: ValueType { .bools }
    static var usualSize: Int { 1 }

    init?(binary: UnsafeRawBufferPointer) {
        guard binary.count == 1, binary[0] <= 1 else { return nil }
        self = binary[0] == 1
    }

    func write(to bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
}

extension String: BinaryValue {
    static var type: ValueType { .text }
    static var arrayType: ValueType { .texts }
    static var usualSize: Int { 16 }

    init?(binary: UnsafeRawBufferPointer) {
        self.init(decoding: binary, as: UTF8.self)
    }

    func write(to bytes: inout [UInt8]) { bytes += utf8 }
}

extension [UInt8]: BinaryValue {
    static var type: ValueType { .bytea }
    static var arrayType: ValueType { .byteas }
    static var usualSize: Int { 64 }

    init?(binary: UnsafeRawBufferPointer) {
        self.init(binary)
    }

    func write(to bytes: inout [UInt8]) { bytes += self }
}

extension [UInt8] {
    mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    /// Overwrites the length that stands before a value.
    mutating func setLength(_ length: Int, at place: Int) {
        Swift.withUnsafeBytes(of: Int32(clamping: length).bigEndian) { bytes in
            for (offset, byte) in bytes.enumerated() { self[place + offset] = byte }
        }
    }
}
