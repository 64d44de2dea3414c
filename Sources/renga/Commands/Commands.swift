/// All commands, in the order of the help.
enum Commands {
    static let all: [Command] = [
        .up, .serve, .work, .migrate, .simulate, .enqueue, .jobs, .show, .status, .results, .cancel, .retry,
        .review, .budgets, .pause,
        .resume, .doctor, .backup, .restore, .move, .health,
    ]

    static func named(_ name: String) throws(UsageError) -> Command {
        if let command = all.first(where: { $0.name == name }) { return command }
        throw UsageError("unknown command \(name)\(Suggestion.text(for: name, among: all.map(\.name)))")
    }
}
