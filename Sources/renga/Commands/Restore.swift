import JobStoreSQLite
import Jobs

extension Command {
    static let restore = Command(
        name: "restore", summary: "puts a copy in the database's place, and keeps the former one",
        arguments: "FILE", argumentCount: 1...1,
        flags: [Flag("dry-run", "examine FILE and the database, and change nothing")],
        settings: [Settings.database, Settings.fileMode],
        details: """
            FILE is what `renga backup` made, or a copy of a stopped database, with its log beside it if there was one. It is
            copied and every page is examined before anything is changed. Servers and workers must be stopped. The former
            database stays beside the new one, with its log, as RENGA_DATABASE.replaced-TIME.
            """
    ) { invocation in
        let path = try invocation.value(of: Settings.database)
        let file = invocation.arguments[0]
        let isTrial = invocation.has("dry-run")
        let missing = MissingDatabase(path, invocation)
        if let missing, missing.trial != nil {
            throw Failure(
                "\(missing.words)\nTo restore to where nothing is yet:\n  \(missing.named)\nNothing was restored"
            )
        }
        let done: Restoration
        do {
            done = try Restoration(
                of: path, by: file, isTrial: isTrial,
                fileMode: try invocation.value(of: Settings.fileMode), at: SystemNow().now().timestamp)
        } catch let error as JobStoreError {
            throw Failure("\(error.message). Nothing was restored")
        }
        if done.wasInUse {
            Console.note(
                """
                \(file) was copied while it was in use: what its log held then is missing. `renga backup` makes \
                whole copies.
                """)
        }
        let content = "\(Text.count(done.jobs, "job")), schema \(done.schemaVersion), every page is sound"
        if isTrial {
            try Console.print("\(file) could take the place of \(path): \(content)")
            return .done
        }
        try Console.print("\(path) is now a copy of \(file): \(content)")
        if missing != nil { try Console.print("there was no file of that name before") }
        if let kept = done.kept { try Console.print("the former database is \(kept)") }
        return .done
    }
}
