import System

extension Command {
    static let backup = Command(
        name: "backup", summary: "make a consistent copy of the running database", arguments: "FILE",
        argumentCount: 1...1,
        settings: [Settings.database, Settings.fileMode],
        details: """
            Servers and workers may run meanwhile. FILE must not exist yet. renga can use the copy as its database.
            """
    ) { invocation in
        let database = try invocation.database()
        let copy = invocation.arguments[0]
        if let missing = database.missing(invocation) { throw Failure(missing.text) }
        guard !fileExists(copy) else { throw Failure("“\(copy)” exists already: choose another name") }
        try await database.backup(to: copy)
        try Console.print("\(database.name) is copied to \(copy) (\(Text.bytes(fileSize(copy) ?? 0)))")
        return .done
    }
}
