import JobStoreSQLite
import Jobs

extension Command {
    static let migrate = Command(
        name: "migrate", summary: "brings the schema up to date and stops",
        settings: [Settings.database, Settings.fileMode],
        details: "`up`, `serve` and `work` do it too, safely when several start at once."
    ) { invocation in
        let path = try invocation.value(of: Settings.database)
        var terms = StoreSettings()
        terms.fileMode = try invocation.value(of: Settings.fileMode)
        let store = try await Foundations.open(path, terms)
        let facts = try await store.checkReady()
        await store.close()
        try Console.print("\(path) has schema version \(facts.schemaVersion)")
        return .done
    }
}
