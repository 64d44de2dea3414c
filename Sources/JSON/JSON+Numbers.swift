extension JSON {
    /// The number as it is written in the source.
    package var numberText: String? {
        node.kind == .number ? String(decoding: raw, as: UTF8.self) : nil
    }

    /// The number without an exponent, as people write amounts: `0.00001` for `1e-5`.
    ///
    /// Nil beyond 30 places to either side, and below zero.
    package var decimalText: String? {
        guard let numberText, !numberText.hasPrefix("-") else { return nil }
        let parts = numberText.lowercased().split(separator: "e")
        guard parts.count == 2 else { return numberText }
        guard let exponent = Int(parts[1]), abs(exponent) <= 30 else { return nil }
        return shifted(parts[0], by: exponent)
    }

    /// The number, if it is written as an integer and fits 64 bits: `1` and `-2`, but neither `1.0` nor `1e3`.
    package var int: Int? {
        node.kind == .number ? exactInteger(raw) : nil
    }

    /// The same, and also if a fraction of zeros follows, as spreadsheets and data frames write whole numbers: `64.0`.
    package var wholeNumber: Int? {
        guard node.kind == .number else { return nil }
        guard let point = raw.firstIndex(of: UInt8(ascii: ".")) else { return int }
        let isWhole = raw[(point + 1)...].allSatisfy { $0 == UInt8(ascii: "0") }
        return isWhole ? exactInteger(raw[..<point]) : nil
    }

    /// The nearest double; nil if this is no number, or one beyond a double's range such as `1e999`.
    package var double: Double? {
        guard let numberText, let value = Double(numberText), value.isFinite else { return nil }
        return value
    }
}

/// A decimal number with its point moved to the right, and no zeros after its last place.
private func shifted(_ number: Substring, by places: Int) -> String {
    let parts = number.split(separator: ".")
    let digits = parts.joined()
    let point = parts[0].count + places
    let padded =
        String(repeating: "0", count: max(0, 1 - point)) + digits
        + String(repeating: "0", count: max(0, point - digits.count))
    var fraction = padded.dropFirst(max(1, point))
    while fraction.last == "0" { fraction.removeLast() }
    return padded.prefix(max(1, point)) + (fraction.isEmpty ? "" : "." + fraction)
}

/// Counts downwards, because the lowest integer has no positive counterpart.
private func exactInteger(_ digits: ArraySlice<UInt8>) -> Int? {
    let isNegative = digits.first == UInt8(ascii: "-")
    var negated = 0
    for digit in isNegative ? digits.dropFirst() : digits {
        guard digit &- UInt8(ascii: "0") <= 9 else { return nil }
        let (shifted, tooLarge) = negated.multipliedReportingOverflow(by: 10)
        let (sum, overflow) = shifted.subtractingReportingOverflow(Int(digit &- UInt8(ascii: "0")))
        guard !tooLarge, !overflow else { return nil }
        negated = sum
    }
    if isNegative { return negated }
    return negated == .min ? nil : -negated
}
