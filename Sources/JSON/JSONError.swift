/// Why bytes were refused, in words for their author.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case syntax, unexpectedEnd, invalidUTF8, invalidString, invalidNumber, duplicateKey
        case tooDeep, trailingGarbage, tooLarge
    }

    package let code: Code

    /// Where in the bytes, counted from 0.
    package let offset: Int

    /// Starts with `line 1, column 17: `; quotes a duplicate key, and otherwise at most one character of the input.
    package let message: String

    package var description: String { message }

    /// Finds line and column, both counted from 1; the column in characters (Unicode scalars), as editors do.
    init(_ code: Code, at offset: Int, in bytes: [UInt8], _ text: String) {
        let before = bytes.prefix(offset)
        let line = before.reduce(1) { line, byte in byte == UInt8(ascii: "\n") ? line + 1 : line }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = before[start...].reduce(1) { column, byte in byte & 0xC0 == 0x80 ? column : column + 1 }
        self.code = code
        self.offset = offset
        message = "line \(line), column \(column): \(text)"
    }
}
