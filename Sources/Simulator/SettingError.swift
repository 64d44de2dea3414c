/// A setting that cannot be used, in words for whoever typed it.
package struct SettingError: Error, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// Reads `500ms`, `30s`, `5m`, `2h`, `7d` or bare seconds, fractions allowed; nil for anything else.
func milliseconds(_ text: String) -> Int64? {
    let units: [(suffix: String, factor: Double)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1000),
    ]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
        let value = Double(text.dropLast(unit.suffix.count)), value >= 0, value * unit.factor < 1e15
    else { return nil }
    return Int64((value * unit.factor).rounded())
}

func trimmed(_ text: some StringProtocol) -> String {
    let spaces: Set<Character> = [" ", "\t", "\n", "\r"]
    let start = text.drop { spaces.contains($0) }
    let end = start.reversed().prefix { spaces.contains($0) }.count
    return String(start.dropLast(end))
}
