import JobStoreSQLite
import Jobs

extension Command {
    static let migrate = Command(
        name: "migrate", summary: "brings the schema up to date and stops",
        settings: [Settings.database],
        details: "`up`, `serve` and `work` do it too, safely when several start at once."
    ) { invocation in
        let path = try invocation.value(of: Settings.database)
        let store = try await Foundations.open(path)
        let facts = try await store.checkReady()
        await store.close()
        try Console.print("\(path) has schema version \(facts.schemaVersion)")
        return .done
    }
}
