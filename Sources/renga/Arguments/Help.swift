/// What `renga help` prints, made from the declarations that the parser reads.
struct Help {
    /// Lines are broken at this width.
    var columns = 80

    func overview(_ commands: [Command]) -> String {
        let rows = commands.map { [$0.name, $0.summary] }
        let closing = """
            renga help COMMAND explains a command. Settings come from the environment (RENGA_MODEL) or from a flag of \
            the same name (--model); the flag wins.
            """
        let parts = [
            "renga \(Version.current): a durable job queue for LLM calls", "usage: renga COMMAND [ARGUMENTS]",
            table(rows), paragraphs(closing),
        ]
        return parts.joined(separator: "\n\n") + "\n"
    }

    func page(_ command: Command) -> String {
        let usage = ["usage: renga", command.name, command.arguments, "[FLAGS]"].filter { !$0.isEmpty }
        var parts = [usage.joined(separator: " ")]
        parts.append(paragraphs(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + "."))
        if !command.details.isEmpty { parts.append(paragraphs(command.details)) }
        if !command.examples.isEmpty {
            parts.append("Examples:\n" + command.examples.map { "  " + $0 }.joined(separator: "\n"))
        }
        if !command.flags.isEmpty {
            parts.append("Flags:\n" + table(command.flags.map { [$0.usage, $0.help] }))
        }
        if !command.settings.isEmpty {
            parts.append("Settings, each also a flag:\n" + settings(command))
        }
        if !command.secrets.isEmpty {
            let entries = command.secrets.map {
                entry($0.name, "\($0.help) (or \($0.name)_FILE, the path of a file)")
            }
            parts.append("Secrets, from the environment only:\n" + entries.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// One line, for errors.
    static func usageLine(_ command: Command) -> String {
        let parts = ["usage: renga", command.name, command.arguments, "[FLAGS]"].filter { !$0.isEmpty }
        return parts.joined(separator: " ") + "   (renga help \(command.name) lists the flags)"
    }
}

extension Help {
    private func settings(_ command: Command) -> String {
        command.settings.map { setting in
            let standard = command.standards[setting.name] ?? setting.standard
            return entry(
                "\(setting.flag.usage), \(setting.name)", setting.help + (standard.map { " (\($0))" } ?? ""))
        }.joined(separator: "\n")
    }

    /// A name, and its explanation below it: names of settings leave no room beside them.
    private func entry(_ name: String, _ text: String) -> String {
        let lines = Wrapping(columns: columns - 6).lines(text)
        return (["  " + name] + lines.map { "      " + $0 }).joined(separator: "\n")
    }

    private func table(_ rows: [[String]]) -> String {
        Wrapping(columns: columns).text(Columns.text(rows, indent: 2))
    }

    /// Empty lines part paragraphs; line ends within one do not count.
    private func paragraphs(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let paragraphs = lines.split(separator: "").map { $0.joined(separator: " ") }
        return paragraphs.map(Wrapping(columns: columns).text).joined(separator: "\n\n")
    }
}
