import JobStoreSQLite
import Jobs
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
        let path = try invocation.value(of: Settings.database)
        let copy = invocation.arguments[0]
        if let missing = MissingDatabase(path, invocation) { throw Failure(missing.text) }
        guard !fileExists(copy) else { throw Failure("“\(copy)” exists already: choose another name") }
        let options = SQLiteOptions(fileMode: try invocation.value(of: Settings.fileMode))
        let store = try await ServiceContext.open(path, options: options)
        do {
            try await store.backup(to: copy)
        } catch {
            await store.close()
            throw Failure("the backup to “\(copy)” failed: \(error)")
        }
        await store.close()
        try Console.print("\(path) is copied to \(copy) (\(Text.bytes(fileSize(copy) ?? 0)))")
        return .done
    }
}
