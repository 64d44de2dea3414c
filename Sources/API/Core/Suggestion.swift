/// Names the known word that an unknown one was probably meant to be.
enum Suggestion {
    /// ` (did you mean “max_attempts”?)`, or nothing if no known name is close.
    static func text(for unknown: String, among known: [String]) -> String {
        closest(to: unknown, among: known).map { " (did you mean “\($0)”?)" } ?? ""
    }

    private static func closest(to unknown: String, among known: [String]) -> String? {
        // Beyond any known name's length nothing is close, and the comparison costs length times length.
        guard unknown.utf8.count <= 40 else { return nil }
        let plain = folded(unknown)
        if let same = known.first(where: { folded($0) == plain }) { return same }
        let ranked = known.map { (name: $0, distance: distance(plain, folded($0))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, best.name.utf8.count / 4) ? best.name : nil
    }

    /// `maxAttempts`, `Max-Attempts` and `max_attempts` are one word.
    private static func folded(_ name: String) -> [UInt8] {
        name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    /// How many letters to insert, delete, replace, or swap with their neighbour.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var (before, row) = ([Int](), Array(0...b.count))
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                let replaced = row[j] + (a[i] == b[j] ? 0 : 1)
                var best = min(replaced, row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
                next.append(best)
            }
            (before, row) = (row, next)
        }
        return row[b.count]
    }
}
