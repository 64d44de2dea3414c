import Jobs
import Postgres
import StoreRules

/// Provider batches that need the provider now, and whose owner, if they had one, is gone.
enum WaitingProviderBatch {
    static func call(for owner: WorkerID, now: Moment) -> Call {
        Call(
            .waitingProviderBatches,
            [.integer(now.milliseconds), .integer(owner.value)] + WorkerLiveness.values(now))
    }

    /// The first whose route can be asked about it; whether it is wanted is not looked up.
    static func first(
        of found: Rows, _ request: BatchMaintenanceRequest, _ access: Access, now: Now
    ) throws -> ProviderBatch? {
        let routes = try RouteState.load(Array(Set(found.map { try $0.int64(1) })), access)
        let byID = Dictionary(routes.map { ($0.id, $0) }) { first, _ in first }
        for row in found {
            guard let route = byID[try row.int64(1)] else { continue }
            let batch = try ProviderBatch(row, route.key)
            if route.canAttend(batch.state, request.terms, now: now) { return batch }
        }
        return nil
    }
}

extension ProviderBatch {
    fileprivate init(_ row: Row, _ route: RouteKey) throws {
        self.init(
            id: ProviderBatchID(try row.int64(0)), route: route, token: try row.text(2),
            state: ProviderBatch.State(rawValue: try row.text(3)) ?? .ended,
            providerID: try row.textOrNil(4),
            rejectedIDs: try row.text(5).split(separator: " ").map(String.init), requests: try row.int(6),
            sentAt: try row.timestampOrNil(7), recallAt: try row.timestampOrNil(8), failures: try row.int(9),
            isWanted: true)
    }
}

extension Statement {
    fileprivate static let waitingProviderBatches = Statement(
        "waiting-provider-batches",
        assembled: """
            SELECT id, route_id, token, state, provider_id, rejected_ids, requests, sent_at, recall_at, failures
            FROM provider_batch
            WHERE ended_at IS NULL
                AND (state = 'sealed' OR state = 'creating' OR state = 'away' OR state = 'recalled')
                AND (poll_at IS NULL OR poll_at <= $1::bigint)
                AND (
                    owner_id IS NULL OR owner_id = $2::bigint
                    OR \(InteractiveLanes.ownerIsGone("$3::bigint", owner: "provider_batch.owner_id"))
                )
            ORDER BY poll_at NULLS FIRST, id
            LIMIT 50
            """, [.bigint, .bigint, .bigint], isKept: true)
}
