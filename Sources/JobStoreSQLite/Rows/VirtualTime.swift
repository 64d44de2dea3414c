import Jobs
import SQLite

/// The common line of the queues' turns, as it is kept.
enum VirtualTime {
    static func load(_ connection: Connection) throws -> FairScheduler {
        let line = try connection.queryOne("SELECT pass FROM virtual_time") { row in row.double(0) }
        return FairScheduler(line: line ?? 0)
    }

    static func save(_ scheduler: FairScheduler, _ connection: Connection) throws {
        _ = try connection.run(
            "INSERT INTO virtual_time (id, pass) VALUES (1, ?1) ON CONFLICT DO UPDATE SET pass = ?1",
            [.real(scheduler.line)])
    }
}
