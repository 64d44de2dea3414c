import CSQLite
import Glibc

/// A reader that has kept one view of the database for so long that the log grows behind it.
package struct LongReader: Sendable, Equatable {
    /// At least so long: it is known since the first checkpoint that it was in the way of.
    package var seconds: Double
    package var logPages: Int
    /// Other processes that read now, by their numbers; one of them is it.
    package var processes: [Int32]
}

/// Reports a reader that stays, from what checkpoints could not copy.
struct ReaderWatch {
    /// The log's name for its readers.
    private let index: String
    private let patience: Int64
    private let report: (@Sendable (LongReader) -> Void)?
    /// Up to where the reader sees the log, since when it is known, and when it was reported.
    private var reader: (mark: Int64, since: Int64, reportedAt: Int64?)?
    /// Between two reports of one reader.
    private static let pause: Int64 = 60_000_000_000

    init(path: String, patienceSeconds: Double, report: (@Sendable (LongReader) -> Void)?) {
        index = DatabaseFiles(path).index
        patience = Int64(patienceSeconds * 0.9e9)
        self.report = report
    }

    mutating func saw(_ copied: Checkpoint.Copied, at now: Int64 = csqlite_monotonic_ns()) {
        if copied.isComplete {
            reader = nil
        } else if copied.copiedPages != reader?.mark {
            reader = (mark: copied.copiedPages, since: now, reportedAt: nil)
        }
        guard let reader, let report, now - reader.since >= patience,
            now - (reader.reportedAt ?? .min / 2) >= Self.pause
        else { return }
        self.reader?.reportedAt = now
        report(
            LongReader(
                seconds: Double(now - reader.since) / 1e9, logPages: Int(copied.logPages),
                processes: Self.readers(of: index)))
    }

    /// Who holds one of the locks WAL_READ_LOCK(0) to (4), as the kernel lists them.
    ///
    /// Their places: https://sqlite.org/walformat.html#wal_locks
    private static func readers(of index: String) -> [Int32] {
        var facts = stat()
        guard stat(index, &facts) == 0, let list = fopen("/proc/locks", "re") else { return [] }
        defer { fclose(list) }
        var found: Set<Int32> = []
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, list) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if let process = reader(text, inode: UInt64(facts.st_ino)) { found.insert(process) }
        }
        return found.subtracting([getpid()]).sorted()
    }

    /// A line is `1: POSIX  ADVISORY  READ 4242 08:01:131 124 124`.
    static func reader(_ line: String, inode: UInt64) -> Int32? {
        let fields = line.split { $0 == " " || $0 == "\n" }
        guard fields.count >= 8, fields[1] == "POSIX", fields[3] == "READ",
            fields[5].split(separator: ":").last.flatMap({ UInt64($0) }) == inode,
            let first = Int(fields[6]), (123...127).contains(first), let process = Int32(fields[4]),
            process > 0
        else { return nil }
        return process
    }
}
