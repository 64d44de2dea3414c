import Telemetry

/// Text in columns, each as wide as its widest cell; the last one runs on.
enum Columns {
    static func text(_ rows: [[String]], indent: Int = 0, rightAligned: Set<Int> = []) -> String {
        // A line end in one cell would forge a row.
        let rows = sameDecimals(rows.map { row in row.map { TerminalText.escaped($0) } })
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

    /// Amounts of money in one column with the same number of decimals.
    private static func sameDecimals(_ rows: [[String]]) -> [[String]] {
        let most = (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.compactMap { row in row.indices.contains(column) ? decimals(of: row[column]).max() : nil }
                .max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                most[column] == 0 || !cell.contains("$") ? cell : padded(cell, decimals: most[column])
            }
        }
    }

    private static func decimals(of cell: String) -> [Int] {
        cell.contains("$") ? cell.matches(of: amount).map(\.1.count) : []
    }

    private static func padded(_ cell: String, decimals: Int) -> String {
        cell == "$0"
            ? "$0." + String(repeating: "0", count: decimals)
            : cell.replacing(amount) { $0.0 + String(repeating: "0", count: decimals - $0.1.count) }
    }

    /// As `Money` writes it: six decimals at least.
    private static var amount: Regex<(Substring, Substring)> { /\$-?[0-9]+\.([0-9]{6,9})/ }
}
