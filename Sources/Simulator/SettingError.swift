/// A setting that cannot be used, explained for the user who typed it.
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

/// Without spaces, tabs and line ends around it.
func trimmed(_ text: some StringProtocol) -> String {
    var utf8 = Array(text.utf8)[...]
    while let first = utf8.first, isBlank(first) { utf8.removeFirst() }
    while let last = utf8.last, isBlank(last) { utf8.removeLast() }
    return String(decoding: utf8, as: UTF8.self)
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
