/// Durations as people write them: `500ms`, `30s`, `5m`, `2h`, `7d`, or bare seconds.
package enum DurationText {
    /// What to say when `parse` returned nil.
    package static let expectation = "a duration such as 500ms, 30s, 5m, 2h, 7d, or bare seconds"

    /// The duration in milliseconds; nil for anything else, negative values and more than 100 years included.
    package static func parse(_ text: String) -> Milliseconds? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(digits), value >= 0, digits.last != "." else { return nil }
        let unit: Double
        switch text.dropFirst(digits.count) {
        case "ms": unit = 1
        case "", "s": unit = 1000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil
        }
        return milliseconds(value * unit)
    }

    /// Bare seconds as a number; nil for negative values and more than 100 years.
    package static func milliseconds(seconds: Double) -> Milliseconds? {
        seconds >= 0 ? milliseconds(seconds * 1000) : nil
    }

    private static func milliseconds(_ value: Double) -> Milliseconds? {
        let rounded = value.rounded()
        return rounded <= 100 * 366 * 86_400_000 ? Milliseconds(rounded) : nil
    }

    /// The shortest exact form: `1500` is `1500ms`, `90000` is `90s`, `86400000` is `1d`.
    package static func text(_ duration: Milliseconds) -> String {
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")]
            as [(Int64, String)]
        where duration % unit == 0 && duration > 0 {
            return "\(duration / unit)\(name)"
        }
        return duration == 0 ? "0" : "\(duration)ms"
    }
}
