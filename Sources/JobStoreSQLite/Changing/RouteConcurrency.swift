package import Jobs
import SQLite

extension SQLiteJobStore {
    package func configure(route: RouteKey, concurrency: Int?, now: Now) async throws {
        try await write(now: now) { context in
            // The claim alone reads it: calls in flight above a new cap run to their end.
            _ = try context.connection.run(
                "UPDATE route SET concurrency = ?2 WHERE id = ?1",
                [.integer(try context.routeID(route)), .integer(concurrency)])
        }
    }
}
