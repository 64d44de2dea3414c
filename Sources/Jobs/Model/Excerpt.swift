/// Texts of others, cut to what is kept and shown beside an answer.
package enum Excerpt {
    /// Letters of a message.
    package static let lineLength = 500
    /// Letters of what names something: a model, a type of error, a request.
    package static let nameLength = 128

    /// One line of at most so many letters: white space and controls run together.
    package static func line(_ text: String, limit: Int = lineLength) -> String {
        var cut = ""
        var letters = 0
        var isGap = false
        for scalar in text.unicodeScalars {
            guard !isBlank(scalar) else {
                isGap = !cut.isEmpty
                continue
            }
            letters += isGap ? 2 : 1
            if isGap { cut += " " }
            isGap = false
            cut.unicodeScalars.append(scalar)
            // A letter may be made of many marks; no text in any language needs more.
            if letters > 4 * limit { break }
        }
        return cut.count <= limit ? cut : cut.prefix(limit - 1) + "…"
    }

    /// The same of a name; one that is plain and short stays as it is, at no cost.
    package static func name(_ text: String) -> String {
        let isPlain = text.utf8.count <= nameLength && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isPlain ? text : line(text, limit: nameLength)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value <= 0x20 || scalar.value == 0x7F }
        return scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
    }
}
