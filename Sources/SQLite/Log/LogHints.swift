import CSQLite
import Glibc

/// Writes to a database's `-wal` file, as inotify reports them for its directory.
final class LogHints {
    /// Readable when something in the directory was written to; negative when inotify is not to be had.
    let descriptor: Int32
    private let logName: [UInt8]

    init(of connection: Connection) {
        // SQLite's own idea of the path: the log lies beside the file that a link points to.
        let path = sqlite3_db_filename(connection.handle, "main").map { String(cString: $0) } ?? ""
        descriptor = csqlite_watch_directory(Volume.directory(of: path))
        logName = Array((path.split(separator: "/").last ?? "").utf8) + Array("-wal".utf8)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    var areAvailable: Bool { descriptor >= 0 }

    /// Takes all that was reported; returns whether any of it was about the log.
    func drain() -> Bool {
        var isAboutLog = false
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 8) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                if isLog(anyOf: UnsafeRawBufferPointer(rebasing: buffer[..<count])) { isAboutLog = true }
            }
        }
        return isAboutLog
    }

    private func isLog(anyOf events: UnsafeRawBufferPointer) -> Bool {
        let headerSize = MemoryLayout<inotify_event>.size
        var offset = 0
        while offset + headerSize <= events.count {
            let event = events.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            // When reports were lost, any may have been about the log.
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
            let start = offset + headerSize
            let name = events[start..<(start + Int(event.len))].prefix { $0 != 0 }
            if name.elementsEqual(logName) { return true }
            offset = start + Int(event.len)
        }
        return false
    }
}
