import Jobs

/// Numbers and times for people.
enum Text {
    /// `1,234,567`.
    static func number(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return value < 0 ? "-" + text : text
    }

    /// `1 job`, `2,000 jobs`.
    static func count(_ value: Int, _ noun: String) -> String {
        "\(number(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// `12.3 MB`.
    static func bytes(_ value: Int) -> String {
        let units = ["kB", "MB", "GB", "TB"]
        guard value >= 1000 else { return "\(value) B" }
        var amount = Double(value) / 1000
        var unit = 0
        while amount >= 1000, unit < units.count - 1 {
            amount /= 1000
            unit += 1
        }
        return "\((amount * 10).rounded() / 10) \(units[unit])"
    }

    /// Two units at most: `1h 5m`, `42s`, `350ms`.
    static func duration(_ milliseconds: Milliseconds) -> String {
        guard milliseconds >= 1000 else { return "\(max(0, milliseconds))ms" }
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m \(seconds % 60)s"
        case ..<86_400: return "\(seconds / 3600)h \(seconds / 60 % 60)m"
        default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
        }
    }

    /// `1h 5m ahead`, `3d 0h behind`.
    static func offset(_ milliseconds: Milliseconds) -> String {
        let size = Milliseconds(clamping: milliseconds.magnitude)
        return "\(duration(size)) \(milliseconds < 0 ? "behind" : "ahead")"
    }

    /// Money for people, to six places at least: `$1.250000`.
    static func dollars(_ money: Money) -> String { "$" + money.description }

    /// On one line, without what steers a terminal, and not longer than that many letters.
    static func oneLine(_ text: String, limit: Int) -> String {
        var line = ""
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else { return line + "…" }
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format: line.append(" ")
            default: line.unicodeScalars.append(scalar)
            }
            count += 1
        }
        return line
    }
}
