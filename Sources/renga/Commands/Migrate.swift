import Jobs
import Telemetry

extension Command {
    static let migrate = Command(
        name: "migrate", summary: "bring the database's schema up to date and stop",
        settings: [Settings.database, Settings.fileMode],
        details: """
            `up`, `serve` and `work` do this at their start too. Several may start at the same time. On PostgreSQL it can
            run beside a fleet that works: it waits for others, says who is in its way, and gives up after a minute.
            """
    ) { invocation in
        let database = try invocation.database()
        let missing = database.missing(invocation)
        if let missing, missing.trial != nil {
            throw Failure("\(missing.text)\nFor a new, empty database:\n  \(missing.named)")
        }
        let store = try await database.open(OpeningTerms(log: .standard(.notice))).store
        let facts = try await store.checkReady()
        await store.close()
        try Console.print(
            """
            \(database.name) \(missing == nil ? "has" : "is new and empty, and has") schema version \
            \(facts.schemaVersion)
            """
        )
        return .done
    }
}
