import System

/// Lines for a terminal that is narrower: broken at spaces, and gone on with beneath themselves, so that nothing is cut.
struct Wrapping {
    var columns: Int

    /// Nil if standard output is no terminal: programs read whole lines.
    static var ofTerminal: Wrapping? {
        isTerminal(1) ? Wrapping(columns: terminalWidth(1) ?? 80) : nil
    }

    func text(_ page: String) -> String { lines(page).joined(separator: "\n") }

    func lines(_ page: String) -> [String] {
        page.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrapped(String($0)) }
    }

    private func wrapped(_ line: String) -> [String] {
        guard line.count > columns, columns >= 20 else { return [line] }
        let margin = String(repeating: " ", count: margin(of: line))
        var lines: [String] = []
        var rest = line[...]
        while rest.count > columns {
            let part = rest.prefix(columns)
            // Not at the spaces in front of the first word.
            let start = part.firstIndex { $0 != " " } ?? part.startIndex
            let end = part[start...].lastIndex(of: " ") ?? part.endIndex
            lines.append(trimmed(rest[..<end]))
            let next = rest[end...].drop { $0 == " " }
            rest = (margin + next)[...]
        }
        return lines + [String(rest)]
    }

    /// Where a line goes on: under the last of its cells that begins in the left half, else a little further in than the row.
    private func margin(of line: String) -> Int {
        var spaces = 0
        var cell: Int?
        for (place, letter) in line.enumerated().prefix(columns / 2 + 1) {
            if letter != " ", spaces >= 2, spaces < place { cell = place }
            spaces = letter == " " ? spaces + 1 : 0
        }
        let indent = line.prefix { $0 == " " }.count
        // A paragraph is flush; what is indented is a row.
        return cell ?? (indent == 0 ? 0 : min(columns / 4, indent + 4))
    }

    private func trimmed(_ text: Substring) -> String {
        String(text.reversed().drop { $0 == " " }.reversed())
    }
}
