import Glibc

/// Reads a whole file; throws if it cannot be read or is longer than `limit` bytes.
package func readFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor(reading: path)
    var bytes: [UInt8] = []
    while true {
        let chunk = try file.read(upTo: min(65_536, limit - bytes.count + 1))
        if chunk.isEmpty { return bytes }
        bytes += chunk
        if bytes.count > limit { throw SystemError(message: "\(path) has more than \(limit) bytes") }
    }
}

/// Whether there is something at the path that this process may see; follows symbolic links.
package func fileExists(_ path: String) -> Bool {
    access(path, F_OK) == 0
}

/// Bytes in a file; nil if there is none, or if it is a pipe or something else without a size.
package func fileSize(_ path: String) -> Int? {
    var facts = stat()
    guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(facts.st_size)
}

/// Creates a file that only its owner may read (0600), so that others see all of it or nothing, also after a crash.
///
/// False and without effect if there is a file of that name already; of several processes that try at once one gets true.
package func createSecretFile(path: String, bytes: [UInt8]) throws(SystemError) -> Bool {
    let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).tmp"
    let file = try FileDescriptor(creating: temporary, mode: 0o600)
    defer { unlink(temporary) }
    try writeAll(file.number, bytes)
    if fsync(file.number) != 0 { throw SystemError("flush \(temporary)") }
    if link(temporary, path) != 0 {
        guard errno == EEXIST else { throw SystemError("create \(path)") }
        return false
    }
    try flushDirectory(of: path)
    return true
}

/// Writes all of it, however many calls that takes; waits if a non-blocking descriptor is full.
package func writeAll(_ fd: Int32, _ bytes: [UInt8]) throws(SystemError) {
    var offset = 0
    while offset < bytes.count {
        let written = bytes.withUnsafeBytes { buffer in
            write(fd, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
        }
        if written >= 0 {
            offset += written
        } else if errno == EAGAIN {
            var waiting = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
            poll(&waiting, 1, -1)
        } else if errno != EINTR {
            throw SystemError("write")
        }
    }
}

/// A rename outlives a crash only once its directory is flushed.
func flushDirectory(of path: String) throws(SystemError) {
    let parent = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? "."
    let directory = try FileDescriptor(reading: parent)
    // Some file systems cannot flush a directory and say EINVAL; nothing more can be done there.
    if fsync(directory.number) != 0, errno != EINVAL { throw SystemError("flush \(parent)") }
}
