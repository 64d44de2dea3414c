import Jobs
import StoreRules
import TestSupport

// What comes in, and how calls end.
extension RandomWalk {
    private static let most = 40

    mutating func enqueue() {
        for _ in 0..<Int.random(in: 1...3, using: &random) where world.unfinished.count < Self.most {
            let route = Int.random(in: 0...2, using: &random)
            let new = newRow(route)
            let isHalfPrice = route < 2 && new.delay == 0 && chance(12)
            let isInteractive = !isHalfPrice && chance(10)
            let place = LanePlace(
                queue: .random(in: 1...3, using: &random), route: Int64(route + 1),
                budget: world.laneBudget().name(of: new.tags),
                kind: isInteractive ? .interactive : isHalfPrice ? .halfPrice : .common,
                owner: isInteractive ? world.workers[2].id : nil)
            var row = new
            if isHalfPrice {
                row.deadline = chance(50) ? .random(in: 1_900_000...9_000_000, using: &random) : nil
            }
            let id = world.enqueue(row, place: place)
            if chance(1) { poison.insert(id) }
            note { _ in
                "job \(id & 0xFFFFF) prompt \(row.request.promptHash.prefix(2)) \(row.cache) on \(route + 1) \(place.kind)\(row.check == nil ? "" : " checked")\(row.request.prefix == nil ? "" : " prefix")"
            }
        }
    }

    private mutating func newRow(_ route: Int) -> NewRow {
        let prompt = chance(60) ? Int.random(in: 0..<8, using: &random) : 100 + world.jobs.count
        let isChecked = chance(15)
        var new = NewRow(
            request: isChecked
                ? World.checkedRequest(prompt % 20, route: route)
                : World.request(prompt, prefix: prompt % 7 == 3 ? prompt % 2 : nil))
        if isChecked {
            new.check = CheckRow(
                rules: World.checks[.random(in: 0...3, using: &random)], routes: [2], home: Int64(route + 1))
        }
        new.priority = .random(in: -2...2, using: &random)
        new.maxAttempts = .random(in: 1...4, using: &random)
        new.cache = chance(80) ? .use : chance(50) ? .refresh : .off
        if chance(25) { new.tags = ["gold"] }
        if chance(4) { new.maxCost = Money(nanodollars: .random(in: 100...500, using: &random)) }
        if chance(2) { new.maxTokens = 2_000 }
        if chance(12) { new.delay = .random(in: 1...20_000, using: &random) }
        if chance(8) { new.deadline = .random(in: 1_000...60_000, using: &random) }
        return new
    }

    // MARK: Ends of calls

    mutating func settle() throws {
        let busy = world.workers.indices.filter { !world.workers[$0].holds.isEmpty }
        guard let worker = any(busy), let key = any(world.workers[worker].holds) else { return }
        if poison.contains(key.job.value), chance(80) {
            world.workers[worker].holds.removeAll { $0 == key }
            return lost.append(key)
        }
        world.advance(.random(in: 1...300, using: &random))
        let settlement = settlement(of: key, outcome())
        guard try act(.settle(settlement)) else { return }
        world.workers[worker].holds.removeAll { $0 == key }
        if chance(4) { try act(.settle(self.settlement(of: key, outcome()))) }
    }

    mutating func answerLate() throws {
        guard let key = any(lost), try act(.settle(settlement(of: key, outcome()))) else { return }
        lost.removeAll { $0 == key }
        met["late answers", default: 0] += 1
    }

    /// As a worker makes it of what came.
    mutating func settlement(of key: AttemptKey, _ outcome: Outcome) -> Settlement {
        let job = world[job: key.job.value]
        var decision = Decision.decide(
            outcome, failures: job.failures, policy: RetryPolicy(), using: &random)
        var settlement = Settlement(
            key: key, verdict: decision.verdict, routeEvent: decision.routeEvent,
            unconfirmedCost: decision.unconfirmedCost, limits: outcome.limits)
        if case .answer(let answer) = outcome.result {
            settlement.answer = answer
            if let check = job.check,
                let failure = OpenCheck(rules: check.rules, used: check.used).failure(
                    of: answer.body, to: job.sent.bytes)
            {
                decision.verdict = .rejected(failure)
                settlement.verdict = decision.verdict
                met["failed checks", default: 0] += 1
            }
        }
        if case .broken(let breakage) = outcome.result { settlement.usage = breakage.usage }
        settlement.callMilliseconds = 100
        return settlement
    }

    private mutating func outcome() -> Outcome {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<66:
            let answer = World.answer(
                chance(70) ? World.yes : World.no,
                stopReason: chance(8) ? "max_tokens" : chance(3) ? "refusal" : "end_turn")
            let remaining = Int.random(in: 20...60, using: &random)
            let limits = LimitReport(requests: .init(limit: 60, remaining: remaining))
            return Outcome(.answer(answer), limits: chance(15) ? limits : nil)
        case 66..<73: return refusal(500)
        case 73..<76: return refusal(529, after: 500)
        case 76..<79: return refusal(429, after: chance(50) ? 800 : nil)
        case 79..<84: return refusal(400)
        case 84: return refusal(401)
        case 85: return refusal(403)
        case 86 where chance(20): return refusal(402)
        case 87 where chance(30):
            return refusal(400, "You have reached your specified API usage limits.")
        case 88..<94: return Outcome(.abandoned(sent: chance(50)))
        case 94:
            let usage = Usage(inputTokens: 20, outputTokens: 1, isComplete: chance(50))
            return Outcome(.broken(Breakage(kind: .truncated, message: "cut", maySent: true, usage: usage)))
        default:
            return Outcome(.broken(Breakage(kind: .timeout, message: "late", maySent: chance(70))))
        }
    }

    private func refusal(_ status: Int, _ message: String = "no", after: Milliseconds? = nil) -> Outcome {
        Outcome(
            .refusal(
                Refusal(
                    status: status, type: nil, message: message,
                    retryAfter: after.map(RetryAfter.init(delay:)))))
    }

    // MARK: Provider batches

    mutating func sendBatches() throws {
        leaveLate()
        if chance(40) { try act(.gather(route: .random(in: 1...2, using: &random))) }
        for place in world.batches.indices where world.batches[place].state == .sealed && chance(30) {
            world.batches[place].state = .away
        }
        let out = world.open.filter { world[attempt: $0].providerBatch != nil }
        guard let key = any(out) else { return }
        try settleBatched(key)
    }

    private mutating func settleBatched(_ key: AttemptKey) throws {
        let batch = world.batches[Int((world[attempt: key].providerBatch ?? 1) - 1)]
        let deadline = world[job: key.job.value].deadline
        if batch.state == .away, let deadline, deadline - world.now.timestamp < world.terms.deadlineMargin / 3
        {
            try act(.recall(key))
            met["recalls", default: 0] += 1
        } else if batch.state == .away {
            let answer = World.answer(chance(80) ? World.yes : World.no, isBatch: true)
            try act(.settle(settlement(of: key, Outcome(.answer(answer)))))
        } else if chance(20) {
            try act(.settle(settlement(of: key, Outcome(.abandoned(sent: false)))))
        }
    }

    /// What comes back from a provider batch without an answer, and what has no time for one, goes to the ordinary lane.
    mutating func leaveLate() {
        let locked = engine.lockedJobs()
        for place in world.unfinished {
            let job = world.jobs[place]
            let isLate = job.deadline.map { $0 - world.now.timestamp < world.terms.leastTime } ?? false
            let cameBack = job.attempts.last.map { $0.providerBatch != nil } ?? false
            if isLate || cameBack, !locked.contains(job.id) { world.leaveHalfPrice(job.id) }
        }
    }
}
