import Jobs
import Postgres

/// The virtual time of all queues, as it is stored.
enum VirtualTime {
    static let call = Call(Statement("virtual-time", "SELECT pass FROM virtual_time"))

    static func read(_ rows: Rows) throws -> FairScheduler {
        FairScheduler(virtualTime: try rows.first?.double(0) ?? 0)
    }

    static func save(_ scheduler: FairScheduler, _ context: WriteContext) {
        context.run(.saveVirtualTime, [.real(scheduler.virtualTime)])
    }
}

extension Statement {
    fileprivate static let saveVirtualTime = Statement(
        "save-virtual-time",
        """
        INSERT INTO virtual_time (id, pass) VALUES (1, $1::double precision)
        ON CONFLICT (id) DO UPDATE SET pass = excluded.pass
        """, .double)
}
