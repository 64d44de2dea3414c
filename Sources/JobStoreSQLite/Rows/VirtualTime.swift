import Jobs
import SQLite

/// The virtual time of all queues, as it is stored.
enum VirtualTime {
    static func load(_ connection: Connection) throws -> FairScheduler {
        let time = try connection.queryOne("SELECT pass FROM virtual_time") { row in row.double(0) }
        return FairScheduler(virtualTime: time ?? 0)
    }

    static func save(_ scheduler: FairScheduler, _ connection: Connection) throws {
        _ = try connection.run(
            "INSERT INTO virtual_time (id, pass) VALUES (1, ?1) ON CONFLICT DO UPDATE SET pass = ?1",
            [.real(scheduler.virtualTime)])
    }
}
