import Glibc

/// What is at a path that something will be written to.
package enum FileKind: Sendable {
    case missing
    case regular
    case directory
    /// A pipe, a socket, a terminal, `/dev/null`.
    case device

    /// Follows symbolic links; what may not be looked at counts as missing.
    package init(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            self = .missing
            return
        }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        default: self = .device
        }
    }

    /// Whether both names lead to one file, by links of either kind too; `-` is standard input.
    package static func areSame(_ path: String, input: String) -> Bool {
        var (one, other) = (stat(), stat())
        guard stat(path, &one) == 0, input == "-" ? fstat(0, &other) == 0 : stat(input, &other) == 0 else {
            return false
        }
        return one.st_mode & S_IFMT == S_IFREG && one.st_dev == other.st_dev && one.st_ino == other.st_ino
    }
}

/// The path from the root, links kept; a relative one begins in the working folder.
package func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    let own = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return String(cString: folder) + "/" + own
}

/// The path behind all symbolic links; nil if nothing is there.
package func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// Something that is there already and takes bytes as they come; closes itself.
package struct DeviceFile: ~Copyable {
    private let file: FileDescriptor

    package init(path: String) throws(SystemError) {
        file = try FileDescriptor(writing: path)
    }

    package func write(_ bytes: [UInt8]) throws(SystemError) {
        try writeAll(file.number, bytes)
    }
}
