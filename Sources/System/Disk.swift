import Glibc

/// Bytes that this user may still write at the path, which must exist.
package func diskFree(_ path: String) throws(SystemError) -> Int {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { throw SystemError("ask for the free space of \(path)") }
    return Int(clamping: UInt64(facts.f_bavail) * UInt64(facts.f_frsize))
}

/// The kernel's name for the kind of file system at the path.
///
/// That is `ext4`, `overlay`, `nfs4`, `fuse.sshfs` and so on. The path must exist. Throws if /proc does not show it.
package func fileSystemType(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError("find \(path)") }
    defer { free(resolved) }
    let place = String(cString: resolved)
    let mounts = String(decoding: try readFile("/proc/self/mountinfo", limit: 16 << 20), as: UTF8.self)
    // Of two mounts on one point the later hides the earlier; a longer point is nearer to the path.
    let nearest = mounts.split(separator: "\n").compactMap(mount)
        .filter { isUnder(place, $0.point) }
        .reduce(nil) { (best: Mount?, next) in
            next.point.utf8.count >= (best?.point.utf8.count ?? 0) ? next : best
        }
    guard let nearest else { throw SystemError(message: "no mount holds \(path)") }
    return nearest.type
}

private typealias Mount = (point: String, type: String)

/// Reads a line of mountinfo, proc(5): the mount point is its fifth field, the type comes after a lone dash.
private func mount(_ line: Substring) -> Mount? {
    let fields = line.split(separator: " ")
    guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 1 < fields.count else {
        return nil
    }
    return (unescapedMountPoint(fields[4]), String(fields[dash + 1]))
}

/// White space and backslashes are written as three octal digits.
private func unescapedMountPoint(_ text: Substring) -> String {
    let parts = text.split(separator: "\\", omittingEmptySubsequences: false)
    return parts.dropFirst().reduce(String(parts.first ?? "")) { path, part in
        guard let byte = UInt8(part.prefix(3), radix: 8) else { return path + "\\" + part }
        return path + String(UnicodeScalar(byte)) + part.dropFirst(3)
    }
}

private func isUnder(_ path: String, _ point: String) -> Bool {
    point == "/" || path == point || path.hasPrefix(point + "/")
}
