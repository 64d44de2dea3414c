import Jobs
import Testing
import TestSupport

/// A small world of two processes with workers that call, die and come back late, driven by a seed.
final class Schedule {
    let bench: Bench
    let stores: [any JobStore]
    let workers: [WorkerID]
    var random: SeededRandom
    var upstream = Upstream()
    /// Whose money a person has cleared: their results never come.
    var forgotten: Set<AttemptKey> = []
    private let batch: BatchID
    /// What workers hold: settled at some time, or forgotten.
    private var flying: [ClaimedAttempt] = []
    /// What dead workers held: an answer may come after all.
    private var lost: [ClaimedAttempt] = []
    private(set) var known: [JobID] = []
    private var endings: [JobID: JobState] = [:]
    private var successes: [JobID: Int] = [:]
    private var prompts = 0

    static let services = [Sample.service, Sample.otherService]
    private static let queues = ["a", "b", "c"]
    /// What follows an answer that is not “positive”: each step there is.
    private static let checks = [
        NewCheck(rules: Array(#"{"labels":["positive"]}"#.utf8), routes: []),
        NewCheck(rules: Array(#"{"labels":["positive"],"on_fail":"review"}"#.utf8), routes: []),
        NewCheck(rules: Array(#"{"labels":["positive"],"on_fail":["repair","review"]}"#.utf8), routes: []),
        NewCheck(
            rules: Array(
                #"{"labels":["positive"],"on_fail":["repair",{"escalate":"claude-sonnet-5"},"review"]}"#.utf8),
            routes: [Sample.otherModel]),
    ]

    init(_ bench: Bench, _ second: any JobStore, seed: UInt64) async throws {
        self.bench = bench
        stores = [bench.store, second]
        random = SeededRandom(seed: seed)
        bench.random = SeededRandom(seed: seed &+ 1)
        batch = try await bench.store.createBatch(name: "all", metadata: nil, now: bench.now).id
        let other = try await second.register(
            NewWorker(name: "other", host: "there", processID: 2, slots: 5), now: bench.now)
        workers = [bench.worker, other]
        try await bench.store.configure(
            route: Sample.route, limits: .init(requests: 300, outputTokens: 9_000), now: bench.now)
        try await bench.store.configure(
            budgets: Self.budgets(dollars: "0.02") + [Self.gold(dollars: "0.003")], now: bench.now)
    }

    /// Small enough to run dry now and then.
    private static func budgets(dollars: String) -> [Budget] {
        let limit = Money(dollars: dollars) ?? .zero
        return [
            Budget(name: "daily", window: .day, limit: limit),
            Budget(name: "monthly", window: .month, limit: limit + limit),
            Budget(name: "a", scope: .queue("a"), window: .total, limit: limit),
        ]
    }

    private static func gold(dollars: String) -> Budget {
        Budget(name: "gold", scope: .tag("gold"), window: .total, limit: Money(dollars: dollars) ?? .zero)
    }

    private var store: any JobStore { stores[Int.random(in: 0...1, using: &random)] }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    // MARK: Steps

    func step() async throws {
        bench.clock.advance(.random(in: 0...400, using: &random))
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22: try await enqueue()
        case 22..<50: try await claim()
        case 50..<74: try await settle()
        case 74..<80: try await tend()
        case 80..<83: try await reap()
        case 83..<86: die()
        case 86..<89: try await answerLate()
        case 89..<92: try await change()
        case 92: try await patchQueue()
        case 93..<95: try await decide()
        case 95..<97: try await renew()
        case 97: bench.clock.advance(.random(in: 1_000...40_000, using: &random))
        case 98: try await chance(50) ? preview() : changeBudgets()
        default: if chance(20) { bench.clock.reboot() }
        }
    }

    private func newJob() throws -> NewJob {
        // Few prompts, so that many are the same.
        let text = chance(60) ? "prompt \(Int.random(in: 0..<12, using: &random))" : "own \(prompts)"
        prompts += 1
        let queue = Self.queues.randomElement(using: &random) ?? "a"
        let route = [Sample.route, Sample.otherModel, Sample.otherRoute].randomElement(using: &random)
        return try Sample.job(text, queue: queue, route: route ?? Sample.route) { job in
            job.priority = Int.random(in: -2...2, using: &random)
            job.maxAttempts = Int.random(in: 1...4, using: &random)
            job.cache = chance(75) ? .use : chance(50) ? .refresh : .off
            if chance(40) { job.batch = batch }
            if chance(30) { job.tags = chance(50) ? ["gold", "plain"] : ["plain"] }
            if chance(5) { job.maxCost = Money(nanodollars: .random(in: 300_000...900_000, using: &random)) }
            if chance(3) { job.maxTokens = 5_000 }
            if chance(30) { job.check = Self.checks.randomElement(using: &random) }
            if chance(15) { job.delay = .random(in: 0...20_000, using: &random) }
            if chance(15) { job.isHalfPrice = true }
            if chance(10) { job.deadline = bench.now.timestamp + .random(in: 1...60_000, using: &random) }
            if chance(20) {
                job.key = "key \(Int.random(in: 0..<40, using: &random))"
                job.fingerprint = chance(80) ? Array((job.key ?? "").utf8) : [7]
            }
        }
    }

    private func enqueue() async throws {
        let jobs = try (0..<Int.random(in: 1...5, using: &random)).map { _ in try newJob() }
        let atomically = chance(30)
        let outcomes = try await store.enqueue(jobs, atomically: atomically, now: bench.now)
        if atomically, outcomes.contains(where: { $0.id == nil }) { return }
        for case .created(let id) in outcomes { known.append(id) }
    }

    private func claim() async throws {
        let index = Int.random(in: 0...1, using: &random)
        let request = ClaimRequest(
            worker: workers[index], slots: .random(in: 1...6, using: &random),
            running: chance(70) ? 0 : 1, lease: 30_000, services: Self.services)
        let claim = try await stores[index].claim(request, now: bench.now)
        #expect(claim.attempts.count <= request.slots)
        flying += claim.attempts
    }

    private func take() -> ClaimedAttempt? {
        guard !flying.isEmpty else { return nil }
        return flying.remove(at: .random(in: 0..<flying.count, using: &random))
    }

    private func settle() async throws {
        guard let attempt = take() else { return }
        bench.clock.advance(.random(in: 1...300, using: &random))
        try await settle(attempt, with: outcome())
        guard chance(5) else { return }
        let money = try await money(of: attempt.key.job)
        #expect(try await settle(attempt, with: outcome()) == .repeated)
        #expect(try await self.money(of: attempt.key.job) == money)
    }

    /// What each attempt of a job cost and may have cost.
    private func money(of job: JobID) async throws -> [[Money]] {
        try #require(try await store.attempts(of: job)).map { [$0.cost, $0.maybePaid] }
    }

    @discardableResult
    func settle(_ attempt: ClaimedAttempt, with outcome: Outcome) async throws -> SettleOutcome {
        var decision = Decision.decide(
            outcome, failures: attempt.failures, policy: RetryPolicy(), using: &random)
        if case .answer(let answer) = outcome.result { decision = decision.checked(answer, of: attempt) }
        var settlement = Settlement(
            key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
            maybePaid: decision.maybePaid, limits: outcome.limits)
        if case .answer(let answer) = outcome.result { settlement.answer = answer }
        if case .broken(let breakage) = outcome.result { settlement.usage = breakage.usage }
        let result = try await store.settle(settlement, now: bench.now)
        if result == .settled(.succeeded) { successes[attempt.key.job, default: 0] += 1 }
        return result
    }

    private func outcome() -> Outcome {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<68:
            let remaining = Int.random(in: 100...300, using: &random)
            return Outcome(
                .answer(
                    Sample.answer(
                        chance(70) ? "positive" : "unsure", stopReason: chance(8) ? "max_tokens" : "end_turn")
                ),
                limits: chance(30) ? .requests(300, remaining: remaining) : nil)
        case 68..<74: return Sample.refusal(500)
        case 74..<77: return Sample.refusal(529, retryAfter: 500)
        case 77..<80: return Sample.refusal(429, retryAfter: chance(50) ? 800 : nil)
        case 80..<84: return Sample.refusal(400)
        case 84: return Sample.refusal(401)
        case 85: return Sample.refusal(403)
        case 86: return Sample.refusal(402)
        case 87: return Sample.refusal(400, message: "your API usage limits are reached")
        case 88..<94: return Outcome(.abandoned(sent: chance(50)))
        case 94:
            let usage = Usage(inputTokens: 21, outputTokens: 1, isComplete: chance(50))
            return Outcome(
                .broken(Breakage(kind: .truncated, message: "cut", maySent: true, usage: usage)))
        default:
            return Outcome(
                .broken(Breakage(kind: .timeout, message: "timed out", maySent: chance(70))))
        }
    }

    private func reap() async throws {
        if chance(50) { bench.clock.advance(31_000) }
        _ = try await store.reap(now: bench.now)
    }

    /// A worker dies: it forgets what it held.
    private func die() {
        let dead = flying.filter { _ in chance(50) }
        flying.removeAll { attempt in dead.contains { $0.key == attempt.key } }
        lost += dead
    }

    private func answerLate() async throws {
        guard !lost.isEmpty else { return }
        let attempt = lost.remove(at: .random(in: 0..<lost.count, using: &random))
        try await settle(attempt, with: outcome())
    }

    private func change() async throws {
        guard let id = known.randomElement(using: &random) else { return }
        let change = chance(20) ? RetryChange(route: Sample.otherModel, maxTokens: 80) : RetryChange()
        switch Int.random(in: 0..<4, using: &random) {
        case 0: _ = try await store.cancel(id, now: bench.now)
        case 1:
            let filter = JobFilter(queue: Self.queues.randomElement(using: &random))
            _ = try await store.cancel(filter, after: nil, limit: 3, now: bench.now)
        case 2:
            let outcome = try await store.retry(id, change: change, now: bench.now)
            if outcome == .changed { endings[id] = nil }
        default:
            _ = try await store.retry(
                JobFilter(state: .failed), change: change, after: nil, limit: 4, now: bench.now)
            let states = try await store.states(of: Array(endings.keys))
            for (id, state) in endings where state == .failed && states[id] != .failed { endings[id] = nil }
        }
    }

    /// A person decides of an answer in review, or gives its job up; of a job that is in none there is nothing to decide.
    private func decide() async throws {
        let waiting = try await inReview()
        guard chance(90), let id = waiting.randomElement(using: &random) else {
            guard let other = known.randomElement(using: &random), !waiting.contains(other) else { return }
            let state = try #require(try await store.states(of: [other])[other])
            let outcome = try await store.review(other, .approve, note: nil, now: bench.now)
            #expect(outcome == .refused(state))
            return
        }
        let money = try await money(of: id)
        let message = Sample.answer("mine").body
        let action: ReviewAction? =
            [
                .approve, .edit(message: message), .rewrite(text: "mine"), .reject, nil,
            ].randomElement(using: &random) ?? nil
        if let action {
            #expect(try await store.review(id, action, note: nil, now: bench.now) == .changed)
            if action != .reject { successes[id, default: 0] += 1 }
        } else {
            #expect(try await store.cancel(id, now: bench.now) == .changed)
        }
        #expect(try await self.money(of: id) == money)
    }

    private func inReview() async throws -> [JobID] {
        try await store.jobs(
            JobFilter(state: .review), before: nil, limit: 10_000, bodies: [], now: bench.now
        ).map(\.id)
    }

    private func patchQueue() async throws {
        guard let name = Self.queues.randomElement(using: &random) else { return }
        let patch = QueuePatch(
            paused: chance(25),
            concurrency: chance(50) ? .some(nil) : .some(.random(in: 1...9, using: &random)),
            weight: .random(in: 1...300, using: &random))
        _ = try await store.update(queue: name, patch, now: bench.now)
    }

    private func renew() async throws {
        for worker in workers {
            let keys = flying.map(\.key)
            let gone = try await store.renew(worker, attempts: keys, lease: 30_000, now: bench.now)
            #expect(gone.count <= keys.count)
            _ = try await store.revoked(worker)
        }
    }

    private func changeBudgets() async throws {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: _ = try await store.remove(budget: "gold", now: bench.now)
        case 1: try await store.configure(budgets: [Self.gold(dollars: "0.006")], now: bench.now)
        case 2: bench.clock.advance(Timestamp.day)
        default:
            let name = ["daily", "monthly", "a", "gold"].randomElement(using: &random) ?? "a"
            _ = try await store.clearMaybePaid(budget: name, now: bench.now)
            // Whose calls a person has cleared shall not cost anything after all, or more than the limit is spent.
            (flying, lost) = ([], [])
            for batch in upstream.batches.values { forgotten.formUnion(batch.requests.map(\.key)) }
        }
        _ = try await store.budgets(now: bench.now)
    }

    private func preview() async throws {
        let before = try await store.stats(now: bench.now).counts
        _ = try await store.preview([try newJob()], now: bench.now)
        let after = try await store.stats(now: bench.now).counts
        #expect(before == after)
    }

    // MARK: What must be true

    /// Nothing acknowledged is lost, nothing that ended changes by itself, and nothing ends twice.
    func audit() async throws {
        let states = try await store.states(of: known)
        #expect(states.count == Set(known).count)
        for (id, state) in endings where states[id] != state {
            Issue.record("\(id) was \(state) and is \(String(describing: states[id]))")
        }
        for (id, state) in states where state.isTerminal { endings[id] = state }
        #expect(successes.values.allSatisfy { $0 == 1 })
        let counts = try await store.stats(now: bench.now).counts
        #expect(counts.total == known.count)
    }

    /// Fair weather from now on: every job comes to an end.
    func finishEverything() async throws {
        lost = []
        try await store.configure(
            budgets: Self.budgets(dollars: "100") + [Self.gold(dollars: "100")], now: bench.now)
        for name in Self.queues {
            let patch = QueuePatch(paused: false, concurrency: .some(nil))
            _ = try await store.update(queue: name, patch, now: bench.now)
        }
        for _ in 0..<2_000 {
            let counts = try await store.stats(now: bench.now).counts
            for id in try await inReview() {
                #expect(try await store.review(id, .approve, note: nil, now: bench.now) == .changed)
                successes[id, default: 0] += 1
            }
            if counts.queued == 0, counts.running == 0, counts.review == 0 { return }
            for attempt in flying {
                bench.clock.advance(20)
                try await settle(attempt, with: Outcome(.answer(Sample.answer())))
            }
            flying = []
            try await finishBatches()
            let request = ClaimRequest(
                worker: workers[0], slots: 20, running: 0, lease: 30_000, services: Self.services)
            let claim = try await stores[0].claim(request, now: bench.now)
            flying = claim.attempts
            if flying.isEmpty, !claim.more {
                bench.clock.advance(min(claim.wakeAfter ?? 5_000, 5_000))
                _ = try await store.reap(now: bench.now)
            }
        }
        let left = try await store.jobs(
            JobFilter(state: .queued), before: nil, limit: 3, bodies: [], now: bench.now)
        Issue.record("jobs stay queued for ever: \(left.map { ($0.id, $0.waitingFor) })")
    }
}
