import Jobs
import Postgres
import StoreRules

// What operators set of queues and routes.
extension WriteContext {
    func update(queue: Int64, _ change: QueueChange) {
        switch change {
        case .paused(let paused): run(.pauseQueue, [.integer(queue), .bool(paused)])
        case .concurrency(let limit): run(.queueConcurrency, [.integer(queue), .integer(limit)])
        case .weight(let weight): run(.queueWeight, [.integer(queue), .integer(weight)])
        case .check(let check):
            run(
                .queueCheck,
                [
                    .integer(queue), .bytes(check?.rules),
                    .text(check.map { Checks.routeList($0.routes) }),
                ])
        case .requirement(let requirement):
            run(
                .queueRequirement,
                [
                    .integer(queue), .bool(requirement.system), .bool(requirement.check),
                    .integer(requirement.maxInputTokens),
                ])
        }
    }

    func update(route: Int64, _ change: RouteChange) {
        switch change {
        case .paused(let paused): run(.pauseRoute, [.integer(route), .bool(paused)])
        case .concurrency(let limit): run(.routeConcurrency, [.integer(route), .integer(limit)])
        case .forgetLimit(let meter): run(.forgetLimit, [.integer(route), .text(meter.rawValue)])
        case .acceptCredentials(let service): CredentialState.acceptAgain(of: service, self)
        case .pollBatches: run(.pollBatchesOfRoute, [.integer(route)])
        }
    }
}

extension Statement {
    fileprivate static let pauseQueue = Statement(
        "pause-queue", "UPDATE queue SET paused = $2::boolean WHERE id = $1::bigint", .bigint, .bool)
    fileprivate static let queueConcurrency = Statement(
        "queue-concurrency", "UPDATE queue SET concurrency = $2::bigint WHERE id = $1::bigint", .bigint,
        .bigint)
    fileprivate static let queueWeight = Statement(
        "queue-weight", "UPDATE queue SET weight = $2::bigint WHERE id = $1::bigint", .bigint, .bigint)
    fileprivate static let queueCheck = Statement(
        "set-queue-check",
        "UPDATE queue SET check_rules = $2::bytea, check_routes = $3::text WHERE id = $1::bigint", .bigint,
        .bytea, .text)
    fileprivate static let queueRequirement = Statement(
        "queue-requirement",
        """
        UPDATE queue
        SET requires_system = $2::boolean, requires_check = $3::boolean, max_input_tokens = $4::bigint
        WHERE id = $1::bigint
        """, .bigint, .bool, .bool, .bigint)
    fileprivate static let pauseRoute = Statement(
        "pause-route", "UPDATE route SET paused = $2::boolean WHERE id = $1::bigint", .bigint, .bool)
    fileprivate static let routeConcurrency = Statement(
        "route-concurrency", "UPDATE route SET concurrency = $2::bigint WHERE id = $1::bigint", .bigint,
        .bigint)
    fileprivate static let forgetLimit = Statement(
        "forget-limit", "DELETE FROM bucket WHERE route_id = $1::bigint AND kind = $2::text", .bigint, .text)
    fileprivate static let pollBatchesOfRoute = Statement(
        "poll-batches-of-route",
        "UPDATE provider_batch SET poll_at = NULL WHERE route_id = $1::bigint AND ended_at IS NULL", .bigint)
}
