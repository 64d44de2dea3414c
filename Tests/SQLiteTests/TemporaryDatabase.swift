import Glibc
import SQLite

/// A directory of a test's own, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/renga-sqlite-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else {
                fatalError("no temporary directory")
            }
            return String(cString: base)
        }
    }

    deinit {
        for name in entries { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var database: String { "\(path)/test.db" }

    var entries: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Bytes of a file, by `stat`: opening the database by other means would drop SQLite's locks.
    func size(of name: String) -> Int {
        var facts = stat()
        return stat("\(path)/\(name)", &facts) == 0 ? Int(facts.st_size) : 0
    }
}

extension Connection {
    func count(_ table: String) throws -> Int {
        try queryOne(SQL("SELECT count(*) FROM \(table)")) { $0.int(0) } ?? -1
    }

    func integrity() throws -> String {
        try queryOne("PRAGMA integrity_check") { $0.text(0) } ?? "nothing"
    }
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
