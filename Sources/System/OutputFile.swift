import Glibc

/// A file that takes its name only once it is complete: until then its bytes lie beside it under another one.
///
/// Dropped before `finish` it leaves nothing behind. Writing blocks, so it belongs where `LineReader` does.
package struct OutputFile: ~Copyable {
    private let path: String
    private let temporary: String
    private let file: FileDescriptor
    private var buffer: [UInt8] = []
    private var isFinished = false

    /// Few system calls.
    private static let chunk = 256 << 10

    /// Throws if the directory does not take files; a file of that name is replaced by `finish`, not before.
    package init(path: String) throws(SystemError) {
        self.path = path
        temporary = "\(path).\(getpid()).tmp"
        file = try FileDescriptor(creating: temporary, mode: 0o666)
    }

    deinit {
        if !isFinished { unlink(temporary) }
    }

    package mutating func append(_ bytes: some Collection<UInt8>) throws(SystemError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.chunk { try flush() }
    }

    /// Puts the file in its place; it is all there or not at all, also after a crash.
    package mutating func finish() throws(SystemError) {
        try flush()
        if fsync(file.number) != 0 { throw SystemError("flush \(temporary)") }
        if rename(temporary, path) != 0 { throw SystemError("rename \(temporary) to \(path)") }
        isFinished = true
        try flushDirectory(of: path)
    }

    private mutating func flush() throws(SystemError) {
        try writeAll(file.number, buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}
