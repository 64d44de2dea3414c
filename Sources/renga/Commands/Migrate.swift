import JobStoreSQLite
import Jobs

extension Command {
    static let migrate = Command(
        name: "migrate", summary: "bring the database's schema up to date and stop",
        settings: [Settings.database, Settings.fileMode],
        details: "`up`, `serve` and `work` do this at their start too. Several may start at the same time."
    ) { invocation in
        let path = try invocation.value(of: Settings.database)
        let missing = MissingDatabase(path, invocation)
        if let missing, missing.trial != nil {
            throw Failure("\(missing.text)\nFor a new, empty database:\n  \(missing.named)")
        }
        let options = SQLiteOptions(fileMode: try invocation.value(of: Settings.fileMode))
        let store = try await ServiceContext.open(path, options: options)
        let facts = try await store.checkReady()
        await store.close()
        try Console.print(
            "\(path) \(missing == nil ? "has" : "is new and empty, and has") schema version \(facts.schemaVersion)"
        )
        return .done
    }
}
