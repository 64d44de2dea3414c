/// Whose log lies beside a database.
///
/// Nothing in SQLite's formats ties a write-ahead log to its file: put another file in the place, and the log is replayed into
/// it. So each time a database is opened by the first, or left by the last, a new random mark is written into the file's
/// header (as `application_id`), and kept here: a log belongs to a file that bears the mark of the time it was written in.
struct LogRecord: Equatable {
    /// The marks that the file may bear: two while one takes the other's place.
    var marks: [Int32]
    /// The first of the log's salts when it began, from where it grows by one with each start over; nil until it is known.
    var salt: UInt32?

    static let length = 96
    private static let title = "renga-log 1"

    init(marks: [Int32], salt: UInt32? = nil) {
        self.marks = marks
        self.salt = salt
    }

    /// Reads what `text` wrote.
    init?(_ text: String) {
        let fields = text.split(separator: "\n").first?.split(separator: " ") ?? []
        guard fields.count == 4, "\(fields[0]) \(fields[1])" == Self.title else { return nil }
        marks = fields[2].split(separator: ",").compactMap { Int32($0) }
        salt = UInt32(fields[3])
        if marks.isEmpty { return nil }
    }

    /// Always of one length, so that it can be written in place.
    var text: String {
        let words = marks.map(String.init).joined(separator: ",")
        let text = "\(Self.title) \(words) \(salt.map(String.init) ?? "-")"
        return text + String(repeating: " ", count: Self.length - 1 - text.utf8.count) + "\n"
    }

    /// A log starts over after some thousand pages at the earliest.
    private static let startsOver: UInt32 = 1 << 20

    /// Whether a log with that salt was begun while this record was the last; nil if that is not known.
    func isAbout(log salt: UInt32) -> Bool? {
        self.salt.map { salt &- $0 < Self.startsOver }
    }
}

/// What a database file bears in its header.
enum FileMark {
    /// Odd while the database is in use, even once it was left whole.
    static func random(inUse: Bool) -> Int32 {
        Int32.random(in: 1..<(1 << 30)) << 1 | (inUse ? 1 : 0)
    }

    static func isInUse(_ mark: Int32) -> Bool { mark & 1 == 1 }
}
