package import Jobs

/// Tells what would become of new jobs, by reading only; each route is looked up once.
package struct EnqueuePreviewer<Reads: EnqueueReads> {
    private let reads: Reads
    private let settings: RuleSettings
    private var rules: EnqueueRules<Reads>
    private var routes: [RouteKey: RouteState?] = [:]

    package init(_ reads: Reads, settings: RuleSettings) {
        self.reads = reads
        self.settings = settings
        rules = EnqueueRules(reads)
    }

    package mutating func preview(of job: NewJob) throws -> EnqueuePreview {
        switch try rules.repetition(of: job) {
        case .existing(let id), .created(let id): return .existing(id)
        case .customIDTaken(let id), .idempotencyMismatch(let id): return .conflict(id)
        case .noSuchBatch, .refused, nil: break
        }
        if let refusal = try rules.refusal(of: job) { return .refused(refusal) }
        if let answer = try cachedAnswer(to: job) { return .cached(saves: Money(nanodollars: answer.cost)) }
        let profile = try route(job.route)?.ledger.profile ?? RouteProfile()
        return .new(
            CallEstimate(requestBytes: job.request.count, maxTokens: job.maxTokens, profile: profile))
    }

    private mutating func cachedAnswer(to job: NewJob) throws -> CachedAnswer? {
        guard job.cache == .use, settings.sharesAnswers, let route = try route(job.route) else { return nil }
        return try reads.cachedAnswer(job.promptHash.bytes, route: route.id)
    }

    private mutating func route(_ key: RouteKey) throws -> RouteState? {
        if let known = routes[key] { return known }
        let found = try reads.route(key)
        routes[key] = .some(found)
        return found
    }
}
