/// What a server or libpq says, made fit for a log line: one line, bounded, without secrets and without values.
struct ServerText: Sendable {
    private let password: Password?

    /// Longer than any message of PostgreSQL's that names one object.
    private static let limit = 600

    init(hiding password: Password?) {
        self.password = password
    }

    /// A class 22 state is that of a value that cannot be: its message quotes the value.
    func clean(_ text: String, state: String = "") -> String {
        let hidden = password?.hide(in: text) ?? text
        let shown = state.hasPrefix("22") ? Self.withoutValues(hidden) : hidden
        let words = shown.split {
            $0.isWhitespace || $0.isNewline || $0.asciiValue.map { $0 < 32 || $0 == 127 } ?? false
        }
        let line = words.joined(separator: " ")
        return line.count <= Self.limit ? line : line.prefix(Self.limit) + "…"
    }

    /// Values stand in double quotes, or at the end behind a colon.
    private static func withoutValues(_ text: String) -> String {
        var parts = text.split(separator: "\"", omittingEmptySubsequences: false)
        for index in stride(from: 1, to: parts.count, by: 2) { parts[index] = "…" }
        let line = parts.joined(separator: "\"")
        guard let colon = line.firstRange(of: ": ") else { return line }
        return String(line[..<colon.lowerBound])
    }
}
