import Jobs
import StoreRules

/// Jobs and what is decided about them, as these tests need both.
enum ChangeFixture {
    static let now = Now(
        timestamp: Timestamp(milliseconds: 1_700_000_000_000),
        moment: Moment(epoch: 1, milliseconds: 1_000_000))
    static let service = ServiceKey(
        provider: "anthropic", endpoint: "https://api.anthropic.com", credential: "KEY", simulated: false)
    static let otherService = ServiceKey(
        provider: "openai", endpoint: "https://api.openai.com", credential: "KEY", simulated: false)
    static let request = Array(#"{"model":"m1","max_tokens":10,"messages":[]}"#.utf8)

    static func place(
        _ kind: LaneKind = .common, route: Int64 = 1, budget: String = "", owner: Int64? = nil,
        batch: Int64? = nil
    ) -> LanePlace {
        LanePlace(queue: 7, route: route, budget: budget, kind: kind, owner: owner, batch: batch)
    }

    static func job(
        _ state: JobState, place: LanePlace = place(), attempt: Int = 1, batch: Int64? = nil,
        finishOrder: Int64? = nil, answer: Int64? = nil, prefix: CachePrefix? = nil, tags: [String] = [],
        hasCheck: Bool = false
    ) -> JobRecord {
        JobRecord(
            id: 100, lane: 50, place: place, state: state, attempt: attempt, attemptsCounted: 1,
            maxAttempts: 4, crashCount: 2, batch: batch, promptHash: [1, 2, 3], requestBytes: request.count,
            maxTokens: 10, failures: 3, finishOrder: finishOrder, runAt: now.timestamp, answer: answer,
            prefix: prefix, blame: nil, forgiven: 0, position: 1, tags: tags, hasCheck: hasCheck)
    }

    static func sent(next: [UInt8]? = nil) -> SentRequest {
        SentRequest(
            job: 100, own: request, next: next, betas: [], check: nil, isKeyed: false, sample: 0)
    }

    static func newJob(
        priority: Int = 0, runAt: Timestamp? = nil, delay: Milliseconds? = nil, fingerprint: [UInt8] = [1]
    ) -> NewJob {
        NewJob(
            queue: "q", priority: priority, runAt: runAt, delay: delay, request: request,
            route: RouteKey(service: service, model: "m1"), maxTokens: 10,
            promptHash: PromptHash(bytes: [1]), fingerprint: fingerprint)
    }

    /// With a limit that was stated, and one that was learned.
    static var route: RouteState {
        let bucket = TokenBucket(perMinute: 10, at: now.moment)
        let ledger = RouteLedger(
            gate: RouteGate(state: .forbidden), isPaused: false, running: 0, succeeded: 0, isLearned: true,
            profile: RouteProfile(),
            lines: [
                .requests: .init(stated: 10, bucket: bucket, reserved: 0),
                .inputTokens: .init(stated: nil, bucket: bucket, reserved: 0),
            ])
        return RouteState(id: 3, key: RouteKey(service: service, model: "m1"), ledger: ledger)
    }

    // MARK: What was decided

    static func moves(_ delta: Delta) -> [JobMove] {
        delta.changes.compactMap { change in
            if case .move(let move) = change { move } else { nil }
        }
    }

    static func releases(_ delta: Delta) -> [Release] {
        delta.changes.compactMap { change in
            if case .release(let release) = change { release } else { nil }
        }
    }

    /// How many more jobs of the lane are in each state.
    static func counts(_ delta: Delta) -> [JobState: Int] {
        Dictionary(delta.tallies.lanes.map { ($0.key.state, $0.value) }, uniquingKeysWith: +)
    }

    /// A change's name, with that of what it sets.
    static func names(_ delta: Delta) -> [String] {
        delta.changes.map { change in
            switch change {
            case .update(_, let update): "update \(name(of: update))"
            case .queue(_, let update): "queue \(name(of: update))"
            case .route(_, let update): "route \(name(of: update))"
            case .budget(let update): "budget \(name(of: update))"
            case .providerBatch(_, let update): "batch \(name(of: update))"
            case .messageBatch(_, let update): "message batch \(name(of: update))"
            default: name(of: change)
            }
        }
    }

    private static func name(of value: Any) -> String {
        Mirror(reflecting: value).children.first?.label ?? "\(value)"
    }
}
