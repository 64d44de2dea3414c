extension JSON {
    /// The number as it is written in the source.
    package var numberText: String? {
        node.kind == .number ? String(decoding: raw, as: UTF8.self) : nil
    }

    /// The number, where it is written as an integer and fits 64 bits: `1` and `-2`, but neither `1.0` nor `1e3`.
    package var int: Int? {
        node.kind == .number ? exactInteger(raw) : nil
    }

    /// The nearest double; nil where this is no number, or one beyond a double's range such as `1e999`.
    package var double: Double? {
        guard let numberText, let value = Double(numberText), value.isFinite else { return nil }
        return value
    }
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
