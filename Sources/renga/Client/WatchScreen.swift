import System

/// A page on a terminal that is smaller: its first lines, whole, from the top; what does not fit is counted at the bottom.
///
/// Nothing scrolls: the first line, which says how things are, stays where it is.
struct WatchScreen {
    var rows: Int
    var columns: Int
    var paint: Paint

    /// Nil if standard output is no terminal.
    static var ofTerminal: WatchScreen? {
        guard isTerminal(1) else { return nil }
        return WatchScreen(
            rows: terminalHeight(1) ?? 24, columns: terminalWidth(1) ?? 80, paint: Paint.ofTerminal)
    }

    /// Home, then each line cleared behind its end, then all below: nothing flickers.
    func drawn(_ page: String) -> String {
        "\u{1B}[H" + lines(page).map { paint.painted($0) + "\u{1B}[K" }.joined(separator: "\n") + "\u{1B}[J"
    }

    /// As many lines as fit, one row kept for the cursor.
    func lines(_ page: String) -> [String] {
        let room = max(2, rows - 1)
        let all = Wrapping(columns: columns).lines(page)
        guard all.count > room else { return all }
        // Empty lines are the first to go.
        let dense = all.filter { !$0.isEmpty }
        guard dense.count > room else { return dense }
        let shown = dense.prefix(room - 1)
        return shown + ["… \(dense.count - shown.count) more lines; make the window taller to see them"]
    }
}

/// Colour for what needs a person, on terminals that have it; `NO_COLOR` turns it off (https://no-color.org).
struct Paint {
    var isOn: Bool

    static var ofTerminal: Paint {
        let isPlain = ["", "dumb"].contains(environmentVariable("TERM") ?? "")
        return Paint(isOn: isTerminal(1) && !isPlain && (environmentVariable("NO_COLOR") ?? "").isEmpty)
    }

    private static let alarming = ["PAUSED", "not heard of", "breaker:", "budget:", "pause:", "failed"]

    /// Titles bold, alarming words red.
    func painted(_ page: String) -> String {
        guard isOn else { return page }
        return page.split(separator: "\n", omittingEmptySubsequences: false).map { painted(line: String($0)) }
            .joined(separator: "\n")
    }

    private func painted(line: String) -> String {
        guard let first = line.first else { return line }
        if first != " ", first != "…", !line.contains(":") || line.hasPrefix("jobs:") {
            return "\u{1B}[1m\(line)\u{1B}[0m"
        }
        return Self.alarming.reduce(line) { $0.replacing($1, with: "\u{1B}[31m\($1)\u{1B}[0m") }
    }
}
