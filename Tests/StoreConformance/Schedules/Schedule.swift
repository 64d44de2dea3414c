import JSON
import Jobs
import Testing
import TestSupport

/// A small world of two processes with workers that call, die and come back late, driven by a seed.
final class Schedule {
    let harness: StoreHarness
    let stores: [any WholeStore]
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
    /// The serving process that lives, if one does, and whom it serves by.
    var server: WorkerID?
    var perMinute = 300
    var uploads: [BatchID: Uploaded] = [:]
    var customIDs = 0
    /// Whether the last step told somebody something that must last: all but calls that were only begun.
    var hasPromised = true
    /// Jobs under which worker after worker dies.
    private var poison: Set<JobID> = []
    /// Thousandths of a dollar.
    private var amounts: [String: Int] = [:]
    /// Whether budgets run dry now and then, which leaves less of all else to meet.
    private let isPoor: Bool
    /// Whether finished jobs are pruned, after which batches and spending cannot be added up from their rows.
    private let prunes: Bool
    /// Since when calls for these tags are to be in their budget.
    private(set) var budgeted: [String: Timestamp] = [:]
    private var endings: [JobID: JobState] = [:]
    /// Jobs that were claimed at least once.
    private var begun: Set<JobID> = []
    private var successes: [JobID: Int] = [:]
    private var prompts = 0

    static let services = [Sample.service, Sample.otherService]
    private static let queues = ["a", "b", "c"]
    private static let allQueues = queues + ["interactive", "batches"]
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

    init(_ harness: StoreHarness, _ second: any WholeStore, seed: UInt64) async throws {
        self.harness = harness
        stores = [harness.store, second]
        random = SeededRandom(seed: seed)
        isPoor = seed.isMultiple(of: 3)
        prunes = seed.isMultiple(of: 4)
        harness.isPruned = prunes
        harness.random = SeededRandom(seed: seed &+ 1)
        batch = try await harness.store.createBatch(name: "all", metadata: nil).id
        let other = try await second.register(NewWorker(name: "other", host: "there", processID: 2, slots: 5))
        workers = [harness.worker, other]
        try await configureLimits()
        try await harness.store.configure(
            budgets: Self.budgets(dollars: isPoor ? "0.05" : "20")
                + [Self.budget(of: "gold", milliDollars: isPoor ? 3 : 300)])
        budgeted["gold"] = harness.now.timestamp
    }

    private static func budgets(dollars: String) -> [Budget] {
        let limit = Money(dollars: dollars) ?? .zero
        return [
            Budget(name: "daily", window: .day, limit: limit),
            Budget(name: "monthly", window: .month, limit: limit + limit),
            Budget(name: "a", scope: .queue("a"), window: .total, limit: limit),
        ]
    }

    private static let tags = ["gold", "plain"]

    private static func budget(of tag: String, milliDollars: Int) -> Budget {
        let limit = Money(nanodollars: Int64(milliDollars) * 1_000_000)
        return Budget(name: tag, scope: .tag(tag), window: .total, limit: limit)
    }

    private var store: any WholeStore { stores[Int.random(in: 0...1, using: &random)] }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    // MARK: Steps

    func step() async throws {
        hasPromised = true
        harness.clock.advance(.random(in: 0...400, using: &random))
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<17: try await enqueue()
        case 17..<20: try await enterCalls()
        case 20..<23: try await claimOwn()
        case 23..<46: try await claim()
        case 46..<70: try await settle()
        case 70..<76: try await maintain()
        case 76..<79: try await reap()
        case 79..<82: die()
        case 82..<84: try await answerLate()
        case 84..<89: try await change()
        case 89: try await patchQueue()
        case 90..<92: try await decide()
        case 92: try await renew()
        case 93..<97: try await upload()
        case 97: try await changeBudgets()
        case 98: try await chance(50) ? preview() : configureLimits()
        case 99 where chance(70): try await resumeRoutes()
        case 99 where prunes && chance(70): try await prune()
        default:
            if chance(50) { harness.clock.reboot() }
            harness.clock.advance(.random(in: 1_000...40_000, using: &random))
        }
    }

    func newJob() throws -> NewJob {
        // Few prompts, so that many are the same.
        let text = chance(60) ? "prompt \(Int.random(in: 0..<12, using: &random))" : "own \(prompts)"
        prompts += 1
        let queue = Self.queues.randomElement(using: &random) ?? "a"
        let routes = [Sample.route, Sample.otherModel, Sample.otherRoute]
        let route = routes.randomElement(using: &random) ?? Sample.route
        guard chance(12) else { return try Sample.job(text, queue: queue, route: route, change: vary) }
        return try Sample.job(
            text, beginning: .random(in: 0..<3, using: &random), queue: queue, route: route, change: vary)
    }

    private func vary(_ job: inout NewJob) throws {
        job.priority = Int.random(in: -2...2, using: &random)
        job.maxAttempts = Int.random(in: 1...4, using: &random)
        job.cache = chance(75) ? .use : chance(50) ? .refresh : .off
        if chance(40) { job.batch = batch }
        if chance(30) { job.tags = chance(50) ? ["gold", "plain"] : ["plain"] }
        if chance(5) { job.maxCost = Money(nanodollars: .random(in: 300_000...900_000, using: &random)) }
        if chance(3) { job.maxTokens = 5_000 }
        if chance(10) {
            job.sample = Int.random(in: 1...2, using: &random)
            job.promptHash = PromptHash(request: try JSON.parse(job.request), sample: job.sample)
        }
        if chance(30) { job.check = Self.checks.randomElement(using: &random) }
        if chance(15) { job.delay = .random(in: 0...20_000, using: &random) }
        if chance(15) { job.isHalfPrice = true }
        if chance(5) { job.refusesQueueCheck = true }
        if chance(10) { job.deadline = harness.now.timestamp + .random(in: 1...60_000, using: &random) }
        if chance(20) {
            job.customID = "key \(Int.random(in: 0..<40, using: &random))"
            job.fingerprint = chance(80) ? Array((job.customID ?? "").utf8) : [7]
        }
    }

    // MARK: What it knows

    func note(_ id: JobID) {
        known.append(id)
        if chance(1) { poison.insert(id) }
    }

    /// A job whose caller is back is at its end no more, if it had failed, or was cancelled before its first call.
    func reopened(_ id: JobID) {
        if endings[id] == .failed || endings[id] == .cancelled && !begun.contains(id) { endings[id] = nil }
    }

    /// What was claimed is asked as its route wants it.
    func take(_ attempts: [ClaimedAttempt]) {
        begun.formUnion(attempts.map(\.key.job))
        for attempt in attempts {
            let model = (try? JSON.parse(attempt.request))?["model"]?.string
            #expect(model == attempt.route.model, "\(attempt.key)")
        }
        flying += attempts
    }

    private func enqueue() async throws {
        let jobs = try (0..<Int.random(in: 1...5, using: &random)).map { _ in try newJob() }
        let atomically = chance(30)
        let outcomes = try await store.enqueue(jobs, atomically: atomically)
        if atomically, outcomes.contains(where: { $0.id == nil }) { return }
        for case .created(let id) in outcomes { note(id) }
    }

    private func claim() async throws {
        let index = Int.random(in: 0...1, using: &random)
        let request = ClaimRequest(
            worker: workers[index], slots: .random(in: 1...6, using: &random),
            running: chance(70) ? 0 : 1, lease: 30_000, services: Self.services)
        let claim = try await stores[index].claim(request)
        #expect(claim.attempts.count <= request.slots)
        take(claim.attempts)
    }

    private func take() -> ClaimedAttempt? {
        guard !flying.isEmpty else { return nil }
        return flying.remove(at: .random(in: 0..<flying.count, using: &random))
    }

    private func settle() async throws {
        guard let attempt = take() else { return }
        if poison.contains(attempt.key.job), chance(80) { return lost.append(attempt) }
        harness.clock.advance(.random(in: 1...300, using: &random))
        try await settle(attempt, with: outcome())
        guard chance(5), known.contains(attempt.key.job) else { return }
        let money = try await money(of: attempt.key.job)
        #expect(try await settle(attempt, with: outcome()) == .repeated)
        #expect(try await self.money(of: attempt.key.job) == money)
    }

    /// What each attempt of a job cost and may have cost.
    private func money(of job: JobID) async throws -> [[Money]] {
        try #require(try await store.attempts(of: job)).map { [$0.cost, $0.unconfirmedCost] }
    }

    @discardableResult
    func settle(_ attempt: ClaimedAttempt, with outcome: Outcome) async throws -> SettleOutcome {
        var decision = Decision.decide(
            outcome, failures: attempt.failures, policy: RetryPolicy(), using: &random)
        if case .answer(let answer) = outcome.result { decision = decision.checked(answer, of: attempt) }
        var settlement = Settlement(
            key: attempt.key, verdict: decision.verdict, routeEvent: decision.routeEvent,
            unconfirmedCost: decision.unconfirmedCost, limits: outcome.limits)
        if case .answer(let answer) = outcome.result { settlement.answer = answer }
        if case .broken(let breakage) = outcome.result { settlement.usage = breakage.usage }
        let result = try await store.settle(settlement)
        if result == .settled(.succeeded) { successes[attempt.key.job, default: 0] += 1 }
        return result
    }

    private func outcome() -> Outcome {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<68:
            let remaining = Int.random(in: perMinute / 3...perMinute, using: &random)
            return Outcome(
                .answer(
                    Sample.answer(
                        chance(70) ? "positive" : "unsure", stopReason: chance(8) ? "max_tokens" : "end_turn")
                ),
                limits: chance(30) ? .requests(perMinute, remaining: remaining) : nil)
        case 68..<74: return Sample.refusal(500)
        case 74..<77: return Sample.refusal(529, retryAfter: 500)
        case 77..<80: return Sample.refusal(429, retryAfter: chance(50) ? 800 : nil)
        case 80..<84: return Sample.refusal(400)
        case 84: return Sample.refusal(401)
        case 85: return Sample.refusal(403)
        // Rare, as each closes its route for longer than most schedules have steps.
        case 86 where chance(20): return Sample.refusal(402)
        case 87 where chance(20):
            return Sample.refusal(400, message: "You have reached your specified API usage limits.")
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
        if chance(50) { harness.clock.advance(31_000) }
        _ = try await store.reap()
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
        // Mostly of the last ones, as most others are at their end.
        guard let id = (chance(70) ? known.suffix(60) : known[...]).randomElement(using: &random) else {
            return
        }
        let routes = [Sample.route, Sample.otherModel, Sample.otherRoute]
        let change =
            chance(60)
            ? RetryChange(
                route: chance(80) ? routes.randomElement(using: &random) : nil,
                maxTokens: .random(in: 60...90, using: &random)) : RetryChange()
        switch Int.random(in: 0..<4, using: &random) {
        case 0: _ = try await store.cancel(id)
        case 1:
            let filter = JobFilter(queue: Self.queues.randomElement(using: &random))
            _ = try await store.cancel(filter, after: nil, limit: 3)
        case 2:
            let outcome = try await store.retry(id, change: change)
            if outcome == .changed { endings[id] = nil }
        default:
            let filter = JobFilter(
                state: chance(60) ? .failed : chance(50) ? .cancelled : change.isEmpty ? .failed : .queued)
            _ = try await store.retry(
                filter, change: change, after: chance(50) ? known.randomElement(using: &random) : nil,
                limit: 4)
            let states = try await store.states(of: Array(endings.keys))
            for (id, state) in endings where state != .succeeded && states[id] != state {
                endings[id] = nil
            }
        }
    }

    /// A person decides of an answer in review, or gives its job up; of a job that is in none there is nothing to decide.
    private func decide() async throws {
        let waiting = try await inReview()
        guard chance(90), let id = waiting.randomElement(using: &random) else {
            guard let other = known.randomElement(using: &random), !waiting.contains(other) else { return }
            let state = try #require(try await store.states(of: [other])[other])
            let outcome = try await store.review(other, .approve, note: nil)
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
            #expect(try await store.review(id, action, note: nil) == .changed)
            if action != .reject { successes[id, default: 0] += 1 }
        } else {
            #expect(try await store.cancel(id) == .changed)
        }
        #expect(try await self.money(of: id) == money)
    }

    private func inReview() async throws -> [JobID] {
        try await store.jobs(JobFilter(state: .review), before: nil, limit: 10_000, bodies: []).map(\.id)
    }

    private func patchQueue() async throws {
        guard let name = Self.allQueues.randomElement(using: &random) else { return }
        var patch = QueuePatch(
            paused: chance(25),
            concurrency: chance(50) ? .some(nil) : .some(.random(in: 1...9, using: &random)),
            weight: chance(20) ? 1000 : .random(in: 1...300, using: &random))
        if chance(20) { patch.check = chance(50) ? .some(nil) : Self.checks.randomElement(using: &random) }
        if chance(20) {
            patch.requirement = QueueRequirement()
            patch.requirement?.check = chance(30)
            if chance(30) { patch.requirement?.maxInputTokens = 400 }
        }
        _ = try await store.update(queue: name, patch)
    }

    /// A person has seen to keys and caps, without which routes would be closed most of the time.
    private func resumeRoutes() async throws {
        for route in try await store.routes() {
            if chance(10) {
                _ = try await store.update(route: route.name, paused: true)
            } else {
                _ = try await store.update(route: route.name, paused: false)
            }
        }
    }

    private func renew() async throws {
        for worker in workers {
            let keys = flying.map(\.key)
            let gone = try await store.renew(worker, attempts: keys, lease: 30_000)
            #expect(gone.count <= keys.count)
            _ = try await store.revoked(worker)
        }
    }

    private func changeBudgets() async throws {
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<5:
            let tag = Self.tags.randomElement(using: &random) ?? "gold"
            _ = try await store.remove(budget: tag)
            budgeted[tag] = nil
        case 5..<11:
            let tag = Self.tags.randomElement(using: &random) ?? "gold"
            // It only grows: one that is lowered may have spent more than it then has.
            let amount = min((amounts[tag] ?? (isPoor ? 3 : 300)) * (chance(50) ? 2 : 1), 20_000)
            amounts[tag] = amount
            try await store.configure(budgets: [Self.budget(of: tag, milliDollars: amount)])
            if budgeted[tag] == nil { budgeted[tag] = harness.now.timestamp }
        case 11..<14: harness.clock.advance(Timestamp.day)
        default:
            let name = ["daily", "monthly", "a", "gold"].randomElement(using: &random) ?? "a"
            _ = try await store.clearUnconfirmed(budget: name)
            // Whose calls a person has cleared shall not cost anything after all, or more than the limit is spent.
            (flying, lost) = ([], [])
            for batch in upstream.batches.values { forgotten.formUnion(batch.requests.map(\.key)) }
        }
        _ = try await store.budgets()
    }

    /// What finished a while ago goes, and nothing else.
    private func prune() async throws {
        let before = try await store.states(of: known)
        _ = try await store.prune(olderThan: .random(in: 30_000...600_000, using: &random))
        let after = try await store.states(of: known)
        let gone = Set(known.filter { after[$0] == nil })
        for id in gone {
            #expect(
                before[id]?.isTerminal == true, "\(id) was \(String(describing: before[id])) and is pruned")
            (endings[id], successes[id]) = (nil, nil)
        }
        known.removeAll(where: gone.contains)
    }

    private func preview() async throws {
        let before = try await store.stats().counts
        _ = try await store.preview([try newJob()])
        let after = try await store.stats().counts
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
        let counts = try await store.stats().counts
        #expect(counts.total == known.count + jobsInUploads)
        try await auditBudgets()
        try await auditRequests()
    }

    /// Fair weather from now on: every job comes to an end.
    func finishEverything() async throws {
        lost = []
        try await store.configure(
            budgets: Self.budgets(dollars: "100")
                + Self.tags.map { Self.budget(of: $0, milliDollars: 100_000) })
        perMinute = 10_000_000
        try await stores[0].configure(
            route: Sample.route, limits: .init(requests: perMinute, outputTokens: perMinute * 30))
        try await discardUploads()
        for route in try await store.routes() {
            _ = try await store.update(route: route.name, paused: false)
        }
        poison = []
        for name in Self.allQueues {
            let patch = QueuePatch(paused: false, concurrency: .some(nil))
            _ = try await store.update(queue: name, patch)
        }
        for _ in 0..<2_000 {
            let counts = try await store.stats().counts
            for id in try await inReview() {
                #expect(try await store.review(id, .approve, note: nil) == .changed)
                successes[id, default: 0] += 1
            }
            if counts.queued == 0, counts.running == 0, counts.review == 0 { return }
            for attempt in flying {
                harness.clock.advance(20)
                try await settle(attempt, with: Outcome(.answer(Sample.answer())))
            }
            flying = []
            try await finishBatches()
            let request = ClaimRequest(
                worker: workers[0], slots: 20, running: 0, lease: 30_000, services: Self.services)
            let claim = try await stores[0].claim(request)
            take(claim.attempts)
            if flying.isEmpty, !claim.more {
                harness.clock.advance(min(claim.wakeAfter ?? 5_000, 5_000))
                _ = try await store.reap()
            }
        }
        let left = try await store.jobs(JobFilter(state: .queued), before: nil, limit: 3, bodies: [])
        Issue.record("jobs stay queued for ever: \(left.map { ($0.id, $0.waitingFor) })")
    }
}
