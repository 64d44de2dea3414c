package import Jobs

/// Gathers ready jobs of half-price lanes into provider batches: what a claim is for a worker's slots, this is for the provider's
/// own batches.
///
/// The money is reserved as at a claim, at half the price; limits per minute are not, as the provider counts none of it
/// against them (https://platform.claude.com/docs/en/api/rate-limits).
package struct ProviderBatchPlanner<Reads: ClaimReads, Random: RandomNumberGenerator> {
    let reads: Reads
    let terms: HalfPriceTerms
    let settings: RuleSettings
    let now: Now
    let lanesChange: Bool
    var book: BudgetBook
    var random: Random
    var delta = Delta()
    var filling: [BatchPlace: FillingBatch] = [:]
    /// Prompts for which this plan itself opened attempts.
    var inFlight: Set<[UInt8]> = []
    var left = ProviderBatchLimits.portion

    package init(
        _ snapshot: ClaimSnapshot, _ reads: Reads, terms: HalfPriceTerms, settings: RuleSettings, now: Now,
        random: Random
    ) {
        self.reads = reads
        self.terms = terms
        self.settings = settings
        self.now = now
        self.random = random
        lanesChange = snapshot.lanesChange
        book = snapshot.book
    }

    /// `isCut` if some jobs are left that could be taken.
    package consuming func plan(
        _ routes: [DueRoute]
    ) throws -> (delta: Delta, isCut: Bool, random: Random) {
        for due in routes {
            filling = Dictionary(due.begun.map { ($0.place, $0) }) { first, _ in first }
            inFlight = []
            for lane in due.lanes { try take(from: lane, due.route) }
            for place in filling.keys.sorted() { save(place) }
            guard left > 0 else { break }
            for place in filling.keys.sorted() { seal(place, due.route) }
        }
        book.save(&delta)
        return (delta, left <= 0, random)
    }

    private mutating func take(from lane: HalfPriceLane, _ route: RouteState) throws {
        var last: Candidate?
        while left > 0 {
            let heads = try reads.heads(
                of: lane.id, behind: last, limit: min(left, ProviderBatchLimits.heads))
            guard !heads.isEmpty else { return }
            for job in heads {
                left -= 1
                last = job
                guard try place(job, lane, route) else { return }
            }
        }
    }

    /// False if the job stays: what holds it holds those behind it.
    private mutating func place(_ job: Candidate, _ lane: HalfPriceLane, _ route: RouteState) throws -> Bool {
        if lanesChange, try moveToItsLane(job) { return true }
        let identity = job.identity(lane: lane.id, route: route.id)
        if let deadline = job.deadline, now.ends(deadline) {
            delta.end(identity, from: .queued, .failed, .deadlineExceeded)
            return true
        }
        guard terms.hasRoom(until: job.deadline, at: now.timestamp), job.position == 0 else {
            return try moveToItsLane(job) { $0.leaveHalfPrice() }
        }
        if try isAnswered(job, identity, route) { return true }
        let call = PricedCall(
            job.call, route: route.key, queue: lane.queueName, tags: lane.tags, isHalfPrice: true)
        if let error = try book.refusal(of: call, job, spent: { try reads.spent(on: job.id) }) {
            delta.end(identity, from: .queued, .failed, error)
            return true
        }
        guard book.closure(to: call) == nil else { return false }
        open(job, lane, route, call)
        return true
    }

    private mutating func moveToItsLane(
        _ job: Candidate, _ change: (inout LanePlace) -> Void = { _ in }
    ) throws -> Bool {
        guard let move = try reads.move(of: job, change) else { return false }
        delta.add(.move(move))
        return true
    }

    /// Whether there is an answer for it, or one is awaited.
    private mutating func isAnswered(
        _ job: Candidate, _ identity: JobIdentity, _ route: RouteState
    ) throws -> Bool {
        guard job.takesSharedAnswers(settings) else { return false }
        if let answer = try reads.cachedAnswer(job.promptHash, route: route.id),
            try delta.serve(identity, answer, reads, at: now.timestamp)
        {
            return true
        }
        guard !job.skipsCoalescing else { return false }
        guard
            try inFlight.contains(job.promptHash)
                || reads.isInFlight(job.promptHash, route: route.id, withBatches: true)
        else { return false }
        delta.add(
            .hold(job: job.id, until: now.timestamp + ClaimLimits.hold, under: job.promptHash))
        return true
    }

    private mutating func open(
        _ job: Candidate, _ lane: HalfPriceLane, _ route: RouteState, _ call: PricedCall
    ) {
        let place = BatchPlace(
            route: route.id, deadlineClass: terms.deadlineClass(until: job.deadline, at: now.timestamp))
        if let full = filling[place], !full.hasRoom(for: job.call.requestBytes) {
            save(place)
            seal(place, route)
        }
        var batch = filling[place] ?? begin(place)
        let (worstCase, windows) = book.reserve(for: call, &delta)
        let shared = job.sharedPrompt(settings)
        delta.add(
            .open(
                NewAttempt(
                    key: job.nextAttempt, worker: 0,
                    choice: RouteChoice(route: route.id, position: 0, cause: nil), home: route.id,
                    queue: lane.queue, leaseUntil: now.moment, promptHash: shared,
                    need: RouteLedger.Need(input: 0, output: 0), worstCase: worstCase, windows: windows,
                    marks: RouteLedger.Marks(
                        requests: 0, input: 0, output: 0, succeeded: route.ledger.succeeded),
                    providerBatch: batch.reference)))
        if let shared { inFlight.insert(shared) }
        delta.tallies.moved(lane: lane.id, batch: job.batch, from: .queued, to: .running)
        batch.requests += 1
        batch.bytes += job.call.requestBytes
        batch.soonest = [batch.soonest, job.deadline].compactMap(\.self).min()
        filling[place] = batch
    }

    private mutating func begin(_ place: BatchPlace) -> FillingBatch {
        let token = String(UInt64.random(in: 0...(.max), using: &random), radix: 36)
        delta.add(.beginBatch(place, token: token))
        return FillingBatch(place: place, reference: .new(token: token), requests: 0, bytes: 0, soonest: nil)
    }

    private mutating func save(_ place: BatchPlace) {
        if let batch = filling[place] { delta.add(.fillBatch(batch)) }
    }

    /// Nothing joins it any more.
    ///
    /// What it has is called back so early that the route's limit lets all of it be done before the first deadline.
    private mutating func seal(_ place: BatchPlace, _ route: RouteState) {
        guard let batch = filling.removeValue(forKey: place) else { return }
        let perMinute = route.ledger.lines[.requests].map { Int64($0.bucket.perMinute) }
        let work = perMinute.map { Int64(batch.requests) * 60_000 / max(1, $0) } ?? 0
        let recall = batch.soonest.map { $0 + -(terms.deadlineMargin + work) }
        delta.add(.sealBatch(batch.reference, recallAt: recall))
    }
}

extension RouteState {
    /// Whether provider batches may go out on it now: its minutes' limits do not count, all else does.
    package func takesProviderBatches(_ terms: HalfPriceTerms, now: Now) -> Bool {
        guard terms.services.contains(key.service), !ledger.isPaused else { return false }
        if case .closed = ledger.gate.passage(at: now.moment) { return ledger.gate.state == .rateLimited }
        return true
    }
}
