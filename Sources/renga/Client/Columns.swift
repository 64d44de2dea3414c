import Telemetry

/// Text in columns, each as wide as its widest cell; the last one runs on.
enum Columns {
    static func text(_ rows: [[String]], indent: Int = 0, rightAligned: Set<Int> = []) -> String {
        // A line end in one cell would forge a row.
        let rows = rows.map { row in row.map { TerminalText.escaped($0) } }
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        let lines = rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
                if rightAligned.contains(column) { return padding + cell }
                return column == row.count - 1 ? cell : cell + padding
            }
            let line = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return lines.joined(separator: "\n")
    }
}
