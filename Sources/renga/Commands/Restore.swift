extension Command {
    static let restore = Command(
        name: "restore", summary: "replace the database by a backup; the former one is kept",
        arguments: "FILE", argumentCount: 1...1,
        flags: [Flag("dry-run", "check FILE and the database, and change nothing")],
        settings: [Settings.database, Settings.fileMode],
        details: """
            FILE is a backup that `renga backup` made, or a copy of a stopped database, with its log beside it if there
            was one. Stop all servers and workers first. FILE is copied and every page is checked before anything is
            changed. The former database stays beside the new one, with its log, as RENGA_DATABASE.replaced-TIME.
            """
    ) { invocation in
        let database = try invocation.database()
        let file = invocation.arguments[0]
        let isTrial = invocation.has("dry-run")
        let missing = database.missing(invocation)
        if let missing, missing.trial != nil {
            throw Failure(
                "\(missing.text)\nTo restore to this new place:\n  \(missing.named)\nNothing was restored"
            )
        }
        let done = try await database.restore(from: file, isTrial: isTrial)
        if done.wasInUse {
            Console.note(
                """
                \(file) was copied while it was in use: what was in its log is missing. `renga backup` makes \
                complete copies.
                """)
        }
        let content = "\(Text.count(done.jobs, "job")), schema \(done.schemaVersion), every page is intact"
        if isTrial {
            try Console.print("\(file) can replace \(database.name): \(content)")
            return .done
        }
        try Console.print("\(database.name) is now a copy of \(file): \(content)")
        if missing != nil { try Console.print("there was no database of that name before") }
        if let kept = done.kept { try Console.print("the former database is \(kept)") }
        return .done
    }
}
