package import JSON

/// A place in a JSON value (RFC 6901): `/result/confidence`, or `` for the whole.
package struct JSONPointer: Hashable, Sendable {
    package let text: String
    private let tokens: [String]

    /// Nil if the text is none.
    package init?(_ text: String) {
        self.text = text
        guard !text.isEmpty else {
            tokens = []
            return
        }
        // By scalars: a character may be a slash or a digit with marks upon it.
        let scalars = text.unicodeScalars
        guard scalars.first == "/" else { return nil }
        var tokens: [String] = []
        for part in scalars.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let token = Self.unescaped(part) else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    private static func unescaped(_ part: Substring.UnicodeScalarView) -> String? {
        var token = String.UnicodeScalarView()
        var rest = part
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                token.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": token.append("~")
            case "1": token.append("/")
            default: return nil
            }
        }
        return String(token)
    }

    /// Nil if there is nothing at that place.
    package func value(in json: JSON) -> JSON? {
        tokens.reduce(Optional(json)) { value, token in
            guard let value else { return nil }
            guard value.kind == .array else { return value[token] }
            guard let index = Int(token), String(index) == token, index >= 0, index < value.count else {
                return nil
            }
            return value[index]
        }
    }
}
