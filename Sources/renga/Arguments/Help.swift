/// What `renga help` prints, made from the declarations that the parser reads.
enum Help {
    /// `flowing` leaves the lengths of lines to the terminal.
    static func overview(_ commands: [Command], flowing: Bool = false) -> String {
        let rows = commands.map { [$0.name, $0.summary] }
        let text = """
            renga \(Version.current): a durable job queue for LLM calls

            usage: renga COMMAND [ARGUMENTS]

            \(Columns.text(rows, indent: 2))

            renga help COMMAND says what a command takes. Settings come from the environment (RENGA_MODEL) or from a
            flag of the same name (--model); the flag counts.

            """
        return flowing ? flowed(text) : text
    }

    /// Each paragraph on one line; lines that are indented are rows of a table.
    private static func flowed(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.reduce(into: [String]()) { flowed, line in
            if let last = flowed.last, let first = last.first, first != " ",
                line.first.map({ $0 != " " }) ?? false
            {
                flowed[flowed.count - 1] = last + " " + line
            } else {
                flowed.append(String(line))
            }
        }.joined(separator: "\n")
    }

    /// One line, for errors.
    static func usageLine(_ command: Command) -> String {
        let words = ["usage: renga", command.name, command.arguments, "[FLAGS]"].filter { !$0.isEmpty }
        return words.joined(separator: " ") + "   (renga help \(command.name) lists them)"
    }

    static func page(_ command: Command, flowing: Bool = false) -> String {
        var parts = [
            "usage: renga \(command.name)\(command.arguments.isEmpty ? "" : " " + command.arguments) [FLAGS]"
        ]
        parts.append(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + ".")
        if !command.details.isEmpty { parts.append(flowing ? flowed(command.details) : command.details) }
        if !command.examples.isEmpty {
            parts.append("Examples:\n" + command.examples.map { "  " + $0 }.joined(separator: "\n"))
        }
        if !command.flags.isEmpty {
            parts.append("Flags:\n" + Columns.text(command.flags.map { [$0.usage, $0.help] }, indent: 2))
        }
        if !command.settings.isEmpty {
            parts.append("Settings, each also a flag:\n" + settings(command))
        }
        if !command.secrets.isEmpty {
            let rows = command.secrets.map {
                [$0.name, "\($0.help) (or \($0.name)_FILE, the path of a file)"]
            }
            parts.append("Secrets, from the environment only:\n" + Columns.text(rows, indent: 2))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func settings(_ command: Command) -> String {
        let rows = command.settings.map { setting in
            let standard = command.standards[setting.name] ?? setting.standard
            return [setting.name, setting.flag.usage, setting.help + (standard.map { " (\($0))" } ?? "")]
        }
        return Columns.text(rows, indent: 2)
    }
}
