/// A job's number: creation time in milliseconds, shifted left by 20 bits, made unique by the store.
///
/// Written `job_` and 13 characters of Crockford's base 32, so that text order is creation order.
package struct JobID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Int64

    package init(_ value: Int64) {
        self.value = value
    }

    /// Reads the written form; nil for anything else.
    package init?(_ text: String) {
        guard let value = OrderedText.parse(text, prefix: "job_") else { return nil }
        self.value = value
    }

    package var description: String { OrderedText.write(value, prefix: "job_") }

    package var createdAt: Timestamp { Timestamp(milliseconds: value >> 20) }

    package static func < (a: JobID, b: JobID) -> Bool { a.value < b.value }
}

/// A batch's number, made and written as a job's is, with `batch_` before it.
package struct BatchID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Int64

    package init(_ value: Int64) {
        self.value = value
    }

    /// Reads the written form; nil for anything else.
    package init?(_ text: String) {
        guard let value = OrderedText.parse(text, prefix: "batch_") else { return nil }
        self.value = value
    }

    package var description: String { OrderedText.write(value, prefix: "batch_") }

    package static func < (a: BatchID, b: BatchID) -> Bool { a.value < b.value }
}

/// A worker process's number in the store.
package struct WorkerID: Hashable, Sendable {
    package let value: Int64

    package init(_ value: Int64) {
        self.value = value
    }
}

private enum OrderedText {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    static func write(_ value: Int64, prefix: String) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(prefix.utf8.count + 13)
        text.append(contentsOf: prefix.utf8)
        for shift in stride(from: 60, through: 0, by: -5) {
            text.append(alphabet[Int(UInt64(bitPattern: value) >> UInt64(shift) & 31)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func parse(_ text: String, prefix: String) -> Int64? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.utf8.dropFirst(prefix.utf8.count)
        guard digits.count == 13 else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard let index = alphabet.firstIndex(of: digit), value >> 59 == 0 else { return nil }
            value = value << 5 | UInt64(index)
        }
        return value <= UInt64(Int64.max) ? Int64(value) : nil
    }
}
