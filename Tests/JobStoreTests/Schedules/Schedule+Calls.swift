import Crypto
import JSON
import Jobs
import Testing

/// Interactive calls beside the backlog, under limits of any size.
extension Schedule {
    static let rates = [300, 4_000, 1_000_000, 10_000_000]

    /// The operator states other limits; what the provider's headers say follows.
    func configureLimits() async throws {
        perMinute = Self.rates.randomElement(using: &random) ?? 300
        try await stores[0].configure(
            route: Sample.route, limits: .init(requests: perMinute, outputTokens: perMinute * 30))
    }

    /// A serving process, which may have died a while ago without a word.
    func server() async throws -> WorkerID {
        if let server, chance(97) { return server }
        let new = try await stores[1].register(
            NewWorker(name: "server", host: "there", processID: 3, slots: 9, partition: .interactive))
        server = new
        return new
    }

    func own(_ server: WorkerID, slots: Int) -> ClaimRequest {
        ClaimRequest(
            worker: server, partition: .interactive, slots: slots, running: 0, lease: 30_000,
            services: Self.services)
    }

    /// Callers ask; some come back with the key of an earlier call.
    func enterCalls() async throws {
        let server = try await server()
        let jobs = try (0..<Int.random(in: 1...2, using: &random)).map { _ in
            var job = try newJob()
            if chance(60) { job.queue = "interactive" }
            (job.isHalfPrice, job.delay, job.batch) = (false, nil, nil)
            if chance(20) {
                job.idempotency = .init(key: "call \(Int.random(in: 0..<30, using: &random))", ordinal: 0)
                job.fingerprint = Array((job.idempotency?.key ?? "").utf8)
            }
            return job
        }
        let request = own(server, slots: .random(in: 0...4, using: &random))
        let entrance = try await stores[1].enqueueAndClaim(jobs, claiming: request)
        hasPromised = entrance.states.values.contains { $0.isTerminal || $0 == .review }
        for case .created(let id) in entrance.outcomes { note(id) }
        // A job that had ended may have been reopened, and found its answer at once.
        for case .existing(let id) in entrance.outcomes { reopened(id) }
        take(entrance.claim.attempts)
    }

    /// The server asks for what waits in its line.
    func claimOwn() async throws {
        let server = try await server()
        _ = try await stores[1].renew(server, attempts: [], lease: 30_000)
        let request = own(server, slots: .random(in: 1...4, using: &random))
        take(try await stores[1].claim(request).attempts)
    }
}

extension Sample {
    private static let rules = String(repeating: "One word: positive, negative or neutral. ", count: 60)

    /// A job that begins as others do, with a part that the provider caches.
    static func job(
        _ text: String, beginning: Int, queue: String, route: RouteKey,
        change: (inout NewJob) throws -> Void
    ) throws -> NewJob {
        let system =
            #"[{"type":"text","text":"\#(beginning) \#(rules)","cache_control":{"type":"ephemeral"}}]"#
        let request = Array(
            #"{"model":"\#(route.model)","max_tokens":64,"system":\#(system),"messages":[{"role":"user","content":"\#(text)"}]}"#
                .utf8)
        let json = try JSON.parse(request)
        var job = NewJob(
            queue: queue, request: request, route: route, maxTokens: 64, bound: CostBound(request: json),
            promptHash: PromptHash(request: json), fingerprint: Array(text.utf8))
        job.prefix = CachePrefix(request: json)
        try change(&job)
        return job
    }
}
