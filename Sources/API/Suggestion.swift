/// Names the known word that an unknown one was probably meant to be.
enum Suggestion {
    /// ` (did you mean “max_attempts”?)`, or nothing where no known name is close.
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

    /// Levenshtein's edit distance.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let substituted = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
