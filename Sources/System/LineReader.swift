/// Lines of a file or a pipe in bounded memory.
///
/// Reading blocks, so it belongs on a thread of its own or on the command line.
package struct LineReader: ~Copyable {
    private let file: FileDescriptor
    private let maxLineLength: Int
    private var buffer: [UInt8] = []
    /// Where in the buffer the next line begins.
    private var start = 0
    /// Up to where the buffer is known to hold no line end.
    private var searched = 0
    private var isAtEnd = false

    /// The number of the line returned last, counted from 1; 0 before the first.
    package private(set) var lineNumber = 0

    /// Few system calls and little memory.
    private static let chunk = 256 << 10

    /// Reads from a descriptor that stays open; `maxLineLength` is in bytes, without the line end.
    package init(fd: Int32, maxLineLength: Int = 64 << 20) {
        file = FileDescriptor(lent: fd)
        self.maxLineLength = maxLineLength
    }

    /// Reads a file; `maxLineLength` is in bytes, without the line end.
    package init(path: String, maxLineLength: Int = 64 << 20) throws(SystemError) {
        file = try FileDescriptor(reading: path)
        self.maxLineLength = maxLineLength
    }

    /// The next line without its `\n` or `\r\n`, nil at the end; text after the last line end is a line too.
    ///
    /// A line that is too long throws, and so does every later call.
    package mutating func next() throws(SystemError) -> [UInt8]? {
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) { return try line(upTo: end) }
            searched = buffer.count
            // One more byte may yet turn out to be the carriage return of the line end.
            if searched - start > maxLineLength + 1 { throw tooLong }
            if isAtEnd { return start < buffer.count ? try line(upTo: buffer.count) : nil }
            try fill()
        }
    }

    private mutating func line(upTo end: Int) throws(SystemError) -> [UInt8] {
        let hasReturn = end > start && buffer[end - 1] == UInt8(ascii: "\r")
        let line = buffer[start..<(hasReturn ? end - 1 : end)]
        if line.count > maxLineLength { throw tooLong }
        start = min(end + 1, buffer.count)
        searched = start
        lineNumber += 1
        return Array(line)
    }

    private mutating func fill() throws(SystemError) {
        buffer.removeSubrange(..<start)
        searched -= start
        start = 0
        let chunk = try file.read(upTo: Self.chunk)
        isAtEnd = chunk.isEmpty
        buffer += chunk
    }

    private var tooLong: SystemError {
        SystemError(message: "line \(lineNumber + 1) is longer than \(maxLineLength) bytes")
    }
}
