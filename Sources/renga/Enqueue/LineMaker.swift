import Crypto
import JSON

/// Makes jobs of lines, each with a `custom_id` that the same line gets again in a later run.
///
/// The id is a hash of the line's content and of the defaults, and counts how often the same came before: a line
/// keeps its id when lines are added, removed or moved around it.
struct LineMaker {
    private let defaults: LineDefaults
    private let isText: Bool
    private let salt: [UInt8]
    private var occurrences = Occurrences()
    private var isFirst = true

    init(defaults: LineDefaults, isText: Bool) {
        self.defaults = defaults
        self.isText = isText
        salt = defaults.canonical
    }

    /// What goes to the server for a line, and the eight bytes that tell prompts apart; nil for a blank line.
    mutating func job(_ line: [UInt8]) -> (bytes: [UInt8], shape: UInt64)? {
        let line = isFirst ? Self.withoutByteOrderMark(line) : line
        isFirst = false
        // 0x1A is what programs of DOS's time put behind the last line.
        guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }), line != [0x1A] else {
            return nil
        }
        guard let json = read(line) else { return (line, 0) }
        let job = JobLine(json, defaults)
        let customID = job.customID ?? self.customID(of: json)
        return (job.job(customID: customID) ?? line, SHA256.hash(job.shape()).number)
    }

    /// Nil for what is not JSON, or not even text: the server says how.
    private func read(_ line: [UInt8]) -> JSON? {
        guard isText else { return try? JSON.parse(line) }
        guard let text = String(validating: line, as: UTF8.self) else { return nil }
        var writer = JSONWriter()
        writer.string(text)
        return try? JSON.parse(writer.bytes)
    }

    private mutating func customID(of json: JSON) -> String {
        var content = salt
        content.append(UInt8(ascii: "\n"))
        json.appendCanonical(to: &content)
        let digest = SHA256.hash(content)
        let count = occurrences.add(digest.number)
        let name = "line-" + Array(digest.prefix(20)).hex
        return count == 1 ? name : "\(name)-\(count)"
    }

    /// Editors on Windows put one before the first line.
    private static func withoutByteOrderMark(_ line: [UInt8]) -> [UInt8] {
        line.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(line.dropFirst(3)) : line
    }
}

/// Counts how often each of many numbers came, in little memory if most come once.
struct Occurrences {
    private var seen: Set<UInt64> = []
    private var repeated: [UInt64: Int] = [:]

    /// How often the number has come now.
    mutating func add(_ number: UInt64) -> Int {
        if seen.insert(number).inserted { return 1 }
        repeated[number, default: 1] += 1
        return repeated[number] ?? 1
    }
}

extension [UInt8] {
    /// The first eight bytes: enough of a hash to tell millions apart.
    var number: UInt64 { prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
