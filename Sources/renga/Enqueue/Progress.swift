import System
import Telemetry

/// The progress, on standard error: redrawn in place on a terminal, a line now and then elsewhere.
struct Progress {
    private let isTerminal: Bool
    private let width: Int
    private let interval: Duration
    private var last: ContinuousClock.Instant?
    private var isOpen = false

    /// Elsewhere than on a terminal there is a line each time so long has passed.
    init(lines every: Duration = .seconds(10)) {
        isTerminal = System.isTerminal(2)
        width = max(20, (terminalWidth(2) ?? 100) - 1)
        interval = isTerminal ? .milliseconds(100) : every
        last = isTerminal ? nil : .now
    }

    /// Shows a state, unless the last one was shown a moment ago.
    ///
    /// `share` is how much is done, from 0 to 1; nil if it is unknown.
    mutating func show(_ text: @autoclosure () -> String, share: Double?) {
        let now = ContinuousClock.now
        if let last, last.duration(to: now) < interval { return }
        last = now
        draw(text(), share)
    }

    /// Shows the last state, whenever the one before it was.
    mutating func end(_ text: String, share: Double?) {
        draw(text, share)
        if isTerminal { write("\n") }
        last = nil
    }

    /// Takes away what was drawn.
    func clear() {
        if isTerminal, last != nil { write("\r\u{1B}[K") }
    }

    private mutating func draw(_ text: String, _ share: Double?) {
        let line = (share.map { Self.bar($0) + " " } ?? "") + TerminalText.escaped(text)
        write(isTerminal ? "\r\u{1B}[K" + String(line.prefix(width)) : line + "\n")
    }

    private func write(_ text: String) {
        // If that fails, it has no reader.
        try? writeAll(2, Array(text.utf8))
    }

    /// `[#####---------------]  25%`.
    static func bar(_ share: Double) -> String {
        let cells = 20
        let full = Int((min(1, max(0, share)) * Double(cells)).rounded(.down))
        let percent = String(Int((min(1, max(0, share)) * 100).rounded(.down)))
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: cells - full) + "] "
            + String(repeating: " ", count: 3 - percent.count) + percent + "%"
    }
}
