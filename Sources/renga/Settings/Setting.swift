import Jobs

/// One setting: an environment variable, and a flag of the same name.
struct Setting<Value: Sendable>: Sendable, SettingDeclaration {
    let name: String
    let flag: Flag
    /// The default, as a person would type it; nil if there is none.
    let standard: String?
    /// What to say when a value cannot be read: “expected …”.
    let expectation: String
    let parse: @Sendable (String) -> Value?

    var help: String { flag.help }

    init(
        _ name: String, _ placeholder: String?, standard: String? = nil, _ help: String, expectation: String,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.standard = standard
        self.expectation = expectation
        self.parse = parse
        let word = Self.flagName(name)
        // One without a value is just there: `parse` gets the empty text for it.
        flag = placeholder.map { Flag(word, $0, help) } ?? Flag(word, help)
    }

    /// `RENGA_CALL_TIMEOUT` is `--call-timeout`; names that are not renga's own are kept whole.
    private static func flagName(_ name: String) -> String {
        let own = name.hasPrefix("RENGA_") ? String(name.dropFirst(6)) : name
        return String(own.lowercased().map { $0 == "_" ? "-" : $0 })
    }
}

/// A setting without the type of its value, for lists of them.
protocol SettingDeclaration: Sendable {
    var name: String { get }
    var flag: Flag { get }
    var standard: String? { get }
    var help: String { get }
}

/// Kinds of values.
extension Setting {
    static func duration(
        _ name: String, standard: String, _ help: String, atLeast: Milliseconds = 0
    ) -> Setting<Milliseconds> where Value == Milliseconds {
        let least = atLeast > 0 ? ", at least \(DurationText.text(atLeast))" : ""
        return Setting(name, "TIME", standard: standard, help, expectation: DurationText.expectation + least)
        {
            DurationText.parse($0).flatMap { $0 >= atLeast ? $0 : nil }
        }
    }

    static func integer(
        _ name: String, standard: String? = nil, _ help: String, in range: ClosedRange<Int>
    ) -> Setting<Int> where Value == Int {
        Setting(
            name, "N", standard: standard, help,
            expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)"
        ) { Int($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    static func text(
        _ name: String, _ placeholder: String, standard: String? = nil, _ help: String
    ) -> Setting<String> where Value == String {
        Setting(name, placeholder, standard: standard, help, expectation: "text without control characters") {
            text in
            text.isEmpty || text.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? nil : text
        }
    }
}
