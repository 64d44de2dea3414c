/// Text of others, made harmless for the terminals that it is shown on: all output goes through here.
package enum TerminalText {
    /// What steers a terminal is written as Swift writes it: `\u{1b}`, `\n`.
    package static func escaped(_ text: String, keepingLines: Bool = false) -> String {
        guard text.unicodeScalars.contains(where: \.steersTerminals) else { return text }
        var escaped = ""
        for scalar in (keepingLines ? text.replacing("\r\n", with: "\n") : text).unicodeScalars {
            switch scalar {
            case "\n" where keepingLines, "\t" where keepingLines: escaped.unicodeScalars.append(scalar)
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _ where scalar.steersTerminals: escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The same of JSON, which says the same afterwards; its own white space stays.
    package static func escaped(json: String) -> String {
        guard json.unicodeScalars.contains(where: \.steersTerminals) else { return json }
        var escaped = ""
        for scalar in json.unicodeScalars {
            let isSpace = scalar == "\n" || scalar == "\r" || scalar == "\t"
            guard scalar.steersTerminals, !isSpace else {
                escaped.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return escaped
    }
}

extension Unicode.Scalar {
    /// Control and format characters could recolour or reorder a terminal's text, and so forge its lines.
    ///
    /// Those that only join letters, in Persian or in pictures of families, are none.
    package var steersTerminals: Bool {
        if self == "\u{200C}" || self == "\u{200D}" { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }
}
