/// Reads what follows a command's name: `--flag value`, `--flag=value`, and arguments in between.
///
/// `--` ends the flags; a lone `-` is an argument.
struct Parser {
    private let command: Command
    private var rest: ArraySlice<String>
    private var values: [String: [String]] = [:]
    private var arguments: [String] = []
    private var wantsHelp = false

    /// What was found, with the environment that fills in what flags leave out.
    static func parse(
        _ commandLine: some Collection<String>, for command: Command, environment: @escaping Environment
    ) throws(UsageError) -> Invocation {
        var parser = Parser(command, commandLine)
        try parser.read()
        return Invocation(
            command: command, values: parser.values, arguments: parser.arguments, wantsHelp: parser.wantsHelp,
            environment: environment)
    }

    private init(_ command: Command, _ commandLine: some Collection<String>) {
        self.command = command
        rest = Array(commandLine)[...]
    }

    private mutating func read() throws(UsageError) {
        while let word = rest.popFirst() {
            if word == "--" {
                arguments += rest
                break
            }
            if word == "--help" || word == "-h" {
                wantsHelp = true
            } else if word.hasPrefix("-"), word != "-" {
                try readFlag(word)
            } else {
                arguments.append(word)
            }
        }
        if !wantsHelp { try checkArguments() }
    }

    private mutating func readFlag(_ word: String) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let name = String(parts[0].dropFirst(2))
        guard word.hasPrefix("--"), let flag = command.allFlags.first(where: { $0.name == name }) else {
            let hint = Suggestion.text(for: name, among: command.allFlags.map(\.name), prefix: "--")
            throw UsageError("unknown flag \(parts[0])\(hint)")
        }
        if values[name] != nil, !flag.isRepeatable { throw UsageError("--\(name) is given twice") }
        let value = try value(of: flag, given: parts.count > 1 ? parts[1] : nil)
        // As of a shell's variable that is not set: never the same as no flag at all.
        if value.isEmpty, let placeholder = flag.placeholder {
            throw UsageError("--\(name) is empty: give it a value, --\(name) \(placeholder), or leave it out")
        }
        values[name, default: []].append(value)
    }

    private mutating func value(of flag: Flag, given: String?) throws(UsageError) -> String {
        guard let placeholder = flag.placeholder else {
            if given != nil { throw UsageError("--\(flag.name) takes no value") }
            return ""
        }
        if let given { return given }
        guard let next = rest.first, !next.hasPrefix("--") else {
            throw UsageError("--\(flag.name) needs a value: --\(flag.name) \(placeholder)")
        }
        rest.removeFirst()
        return next
    }

    private func checkArguments() throws(UsageError) {
        if arguments.contains("") {
            throw UsageError("an argument is empty; expected \(command.arguments)")
        }
        if arguments.count > command.argumentCount.upperBound {
            let surplus = arguments[command.argumentCount.upperBound]
            throw UsageError("unexpected argument “\(surplus)”")
        }
        if arguments.count < command.argumentCount.lowerBound {
            throw UsageError("missing argument: \(command.arguments)")
        }
    }
}
