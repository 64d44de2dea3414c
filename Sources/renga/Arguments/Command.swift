/// One command: what it is called, what it takes, what it does.
///
/// The parser and the help are both made from this, so that the two always agree.
struct Command: Sendable {
    var name: String
    /// One line, for the list of commands.
    var summary: String
    /// As in the usage line: `FILE|-`.
    var arguments = ""
    var argumentCount: ClosedRange<Int> = 0...0
    var flags: [Flag] = []
    var settings: [any SettingDeclaration] = []
    var secrets: [SecretSetting] = []
    /// Paragraphs for `renga help COMMAND`.
    var details = ""
    /// Command lines that work as they are.
    var examples: [String] = []
    /// Defaults that hold here instead of a setting's own, by its name.
    var standards: [String: String] = [:]
    var run: @Sendable (Invocation) async throws -> ExitStatus

    /// Its own flags, and those of the settings that it reads.
    var allFlags: [Flag] { flags + settings.map(\.flag) }
}

/// A flag of a command, without its dashes.
struct Flag: Sendable {
    var name: String
    /// The placeholder of its value in the usage; nil for a flag without a value.
    var placeholder: String?
    var help: String
    var isRepeatable = false

    /// One that takes a value.
    init(_ name: String, _ placeholder: String, _ help: String, isRepeatable: Bool = false) {
        self.name = name
        self.placeholder = placeholder
        self.help = help
        self.isRepeatable = isRepeatable
    }

    /// One without a value.
    init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    /// As in the usage: `--limit N`.
    var usage: String { placeholder.map { "--\(name) \($0)" } ?? "--\(name)" }
}

/// The exit status for the shell.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case failed = 1
    case wrongUsage = 2
    /// The server is not reachable, or says that it cannot serve now.
    case tryAgain = 75
}
