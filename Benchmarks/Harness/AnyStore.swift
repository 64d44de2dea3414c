import JobStorePostgres
import JobStoreSQLite
import Jobs
import Postgres

/// A store by the name of its database: a file, or a URL of PostgreSQL's.
func openStore(_ database: String) async throws -> any WholeStore {
    guard ConnectionSettings.isURL(database) else {
        return try await SQLiteJobStore(path: database, clock: MachineClock())
    }
    return try await PostgresJobStore(ConnectionSettings(url: database, from: .environment))
}
