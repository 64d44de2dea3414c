import JobStoreSQLite
import Jobs

extension Command {
    static let migrate = Command(
        name: "migrate", summary: "brings the schema up to date and stops",
        settings: [Settings.database, Settings.fileMode],
        details: "`up`, `serve` and `work` do it too, safely when several start at once."
    ) { invocation in
        let path = try invocation.value(of: Settings.database)
        let missing = MissingDatabase(path, invocation)
        if let missing, missing.trial != nil {
            throw Failure("\(missing.words)\nFor a new, empty database:\n  \(missing.named)")
        }
        var terms = StoreSettings()
        terms.fileMode = try invocation.value(of: Settings.fileMode)
        let store = try await ServiceContext.open(path, terms)
        let facts = try await store.checkReady()
        await store.close()
        try Console.print(
            "\(path) \(missing == nil ? "has" : "is new, without any jobs, and has") schema version \(facts.schemaVersion)"
        )
        return .done
    }
}
