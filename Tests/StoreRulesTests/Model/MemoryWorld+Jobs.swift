import Jobs
import StoreRules

// Changes of jobs, and of what waits for them.
extension MemoryWorld {
    mutating func finish(_ finish: JobFinish, _ terms: Applying) {
        expect(self[job: finish.job].state == .running, "only a running job gets its answer", finish.job)
        self[job: finish.job].answer = keep(finish.answer, terms)
        self[job: finish.job].attemptsCounted = finish.attemptsCounted
        self[job: finish.job].cost += finish.cost
        end(finish.job, .succeeded)
    }

    mutating func serve(_ job: Int64, _ answer: CachedAnswer) {
        expect(self[job: job].state == .queued, "only a queued job is served", job)
        self[job: job].answer = answer.id
        end(job, .succeeded)
    }

    mutating func end(_ job: Int64, _ state: JobState) {
        expect(!self[job: job].state.isTerminal, "a job ends once", job)
        if let last = self[job: job].attempts.indices.last, self[job: job].attempts[last].status == .open {
            self[job: job].attempts[last].isRevoked = true
        }
        self[job: job].state = state
        self[job: job].endings += 1
        ready(job, false)
        unfinished.removeAll { $0 == Self.place(of: job) }
    }

    mutating func requeue(_ requeue: JobRequeue) {
        expect(self[job: requeue.job].state == .running, "only a running job is queued again", requeue.job)
        self[job: requeue.job].state = .queued
        ready(requeue.job, requeue.heldUntil == nil)
        self[job: requeue.job].heldUntil = requeue.heldUntil
        self[job: requeue.job].attemptsCounted = requeue.attemptsCounted
        self[job: requeue.job].failures += requeue.heldUntil == nil ? 0 : 1
        self[job: requeue.job].cost += requeue.cost
    }

    mutating func putBack(_ job: Int64, crashed: Bool) {
        expect(self[job: job].state == .running, "only a running job is put back", job)
        self[job: job].state = .queued
        ready(job, true)
        self[job: job].crashCount += crashed ? 1 : 0
    }

    mutating func move(_ move: JobMove) {
        expect(self[job: move.job].lane == move.from, "a job moves from where it is", move.job)
        let lane = laneID(of: move.place)
        self[job: move.job].lane = lane
        tallies.moved(from: move.from, to: lane, state: move.state)
    }

    mutating func follow(_ job: Int64, _ state: JobState) {
        expect(self[job: job].state == .running, "only a running job fails its check", job)
        self[job: job].state = state
        ready(job, state == .queued)
        self[job: job].blame = nil
    }

    mutating func request(of job: Int64, _ change: RequestChange, _ facts: RequestFacts) {
        switch change {
        case .followed(let next, _): self[job: job].request.next = next
        case .beganAgain: self[job: job].request.next = nil
        case .changed(let own, let next):
            self[job: job].request.own = own
            self[job: job].request.next = next
        }
        self[job: job].request.bytes = facts.bytes
        self[job: job].request.promptHash = facts.promptHash
        self[job: job].request.bound = facts.bound
        self[job: job].request.prefix = facts.prefix
    }

    // MARK: What people change

    mutating func update(_ job: Int64, _ update: JobUpdate) {
        switch update {
        case .reopen: reopen(job)
        case .restartChain:
            self[job: job].position = 0
            self[job: job].cause = nil
            self[job: job].skipsCoalescing = false
        case .stopAwaiting: if self[job: job].heldHash != nil { ready(job, true) }
        case .maxTokens(let limit): self[job: job].maxTokens = limit
        case .resetCheck:
            self[job: job].check?.used = 0
            self[job: job].check?.passed = nil
        case .requestedModel, .beginCheckHere:
            preconditionFailure("the walks change no job's route: \(update)")
        }
    }

    private mutating func reopen(_ job: Int64) {
        let old = self[job: job].state
        expect(
            old == .failed || old == .cancelled, "only a job that failed or was cancelled is reopened", job)
        self[job: job].state = .queued
        ready(job, true)
        self[job: job].endings -= 1
        self[job: job].attemptsCounted = 0
        self[job: job].failures = 0
        self[job: job].crashCount = 0
        self[job: job].forgiven = 0
        self[job: job].blame = nil
        self[job: job].position = 0
        self[job: job].cause = nil
        self[job: job].skipsCoalescing = false
        self[job: job].answer = nil
        self[job: job].deadline = nil
        self[job: job].runAt = now.timestamp
        unfinished.append(Self.place(of: job))
    }

    // MARK: Waiting

    mutating func hold(_ job: Int64, until: Timestamp, under hash: [UInt8]?) {
        expect(self[job: job].state == .queued, "only a queued job waits", job)
        ready(job, false)
        self[job: job].heldUntil = until
        self[job: job].heldHash = hash
    }

    mutating func ready(_ job: Int64, _ isReady: Bool) {
        self[job: job].isReady = isReady
        self[job: job].heldUntil = nil
        self[job: job].heldHash = nil
    }

    mutating func moveDue() {
        for place in unfinished {
            guard let until = jobs[place].heldUntil, until <= now.timestamp else { continue }
            ready(jobs[place].id, true)
        }
    }

    mutating func release(_ release: Release) {
        let held = unfinished.filter { place in
            jobs[place].heldHash == release.hash && lane(jobs[place].lane).route == release.route
        }.sorted()
        switch release.whom {
        case .all(let skipsCoalescing):
            for place in held {
                ready(jobs[place].id, true)
                if skipsCoalescing { jobs[place].skipsCoalescing = true }
            }
        case .first: if let first = held.first { ready(jobs[first].id, true) }
        case .firstAt(let time):
            guard let first = held.first, let until = jobs[first].heldUntil else { return }
            jobs[first].heldUntil = min(until, time)
        }
    }

    mutating func prefix(_ key: PromptOnRoute, _ change: PrefixChange) {
        switch change {
        case .awaited(let writer, let moment): prefixes[key] = PrefixRow(until: moment, writer: writer)
        case .warm(let until): prefixes[key] = PrefixRow(until: until, writer: nil)
        case .gone: prefixes[key] = nil
        }
    }

    // MARK: Answers

    mutating func keep(_ answer: NewAnswer, _ terms: Applying) -> Int64 {
        answers.append(
            AnswerRow(
                hash: answer.hash, route: answer.route, job: answer.job, cost: answer.cost,
                body: answer.answer.body, createdAt: terms.now.timestamp, expiresAt: answer.expiresAt,
                commit: commits))
        return Int64(answers.count)
    }
}
