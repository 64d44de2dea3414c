import Jobs
import SQLite
import StoreRules

// What operators set of queues and routes.
extension WriteContext {
    func update(queue: Int64, _ change: QueueChange) throws {
        switch change {
        case .paused(let paused):
            _ = try connection.run(
                "UPDATE queue SET paused = ?2 WHERE id = ?1", [.integer(queue), .bool(paused)])
        case .concurrency(let limit):
            _ = try connection.run(
                "UPDATE queue SET concurrency = ?2 WHERE id = ?1", [.integer(queue), .integer(limit)])
        case .weight(let weight):
            _ = try connection.run(
                "UPDATE queue SET weight = ?2 WHERE id = ?1", [.integer(queue), .integer(weight)])
        case .check(let check):
            _ = try connection.run(
                "UPDATE queue SET check_rules = ?2, check_routes = ?3 WHERE id = ?1",
                [
                    .integer(queue), .blob(check?.rules),
                    .text(check.map { Checks.routeList($0.routes) }),
                ])
        case .requirement(let requirement):
            _ = try connection.run(
                """
                UPDATE queue
                SET requires_system = ?2, requires_check = ?3, max_input_tokens = ?4
                WHERE id = ?1
                """,
                [
                    .integer(queue), .bool(requirement.system), .bool(requirement.check),
                    .integer(requirement.maxInputTokens),
                ])
        }
    }

    func update(route: Int64, _ change: RouteChange) throws {
        switch change {
        case .paused(let paused):
            _ = try connection.run(
                "UPDATE route SET paused = ?2 WHERE id = ?1", [.integer(route), .bool(paused)])
        case .concurrency(let limit):
            _ = try connection.run(
                "UPDATE route SET concurrency = ?2 WHERE id = ?1", [.integer(route), .integer(limit)])
        case .forgetLimit(let meter):
            _ = try connection.run(
                "DELETE FROM bucket WHERE route_id = ?1 AND kind = ?2",
                [.integer(route), .text(meter.rawValue)])
        case .acceptCredentials(let service): try CredentialState.acceptAgain(of: service, connection)
        case .pollBatches:
            _ = try connection.run(
                "UPDATE provider_batch SET poll_at = NULL WHERE route_id = ?1 AND ended_at IS NULL",
                [.integer(route)])
        }
    }
}
