import Jobs

// What becomes of the job whose attempt is settled, and of those that wait for its call.
extension SettleRules {
    mutating func settleJob(_ resolved: ResolvedVerdict, cost: Int64) throws -> SettleOutcome {
        guard job.isHeld(by: attempt) else {
            settleForAnother(cost: cost)
            return .late
        }
        let counted = job.attemptsCounted + (resolved.counted ? 1 : 0)
        switch resolved.resolution {
        case .succeeded:
            succeed(counted: counted, cost: cost)
            return .settled(.succeeded)
        case .ready:
            requeue(counted: counted, heldUntil: nil, error: nil, cost: cost)
            releaseFollowers()
            return .settled(.queued)
        case .held(let until, let error):
            requeue(counted: counted, heldUntil: until, error: error, cost: cost)
            if let hash = attempt.promptHash {
                delta.add(.release(Release(.firstAt(until), hash, route: attempt.home)))
            }
            return .settled(.queued)
        case .rejected(let failure):
            return .settled(try reject(failure, counted: counted, cost: cost))
        case .failed(let error):
            delta.add(.count(job: job.id, attemptsCounted: counted, cost: cost))
            delta.end(job.identity, from: .running, .failed, naming(error))
            return .settled(.failed)
        }
    }

    private mutating func succeed(counted: Int, cost: Int64) {
        guard let answer = answer(cost: cost, uses: 1) else {
            preconditionFailure("a success is settled with its answer")
        }
        delta.add(
            .finish(JobFinish(job: job.id, answer: answer, attemptsCounted: counted, cost: cost)))
        letGoOfEarlierAnswer()
        if job.hasCheck { delta.add(.passCheck(job: job.id)) }
        delta.tallies.moved(lane: job.lane, batch: job.batch, from: .running, to: .succeeded)
        if attempt.providerBatch == nil {
            delta.tallies.answered(
                AnswerTimes(
                    route: attempt.route, runnableAt: job.runAt,
                    callMilliseconds: settlement.callMilliseconds, now: now.timestamp))
        }
        releaseFollowers()
    }

    /// One that failed the job's check is kept until another takes its place.
    private mutating func letGoOfEarlierAnswer() {
        if let answer = job.answer { delta.add(.decrementUses(answer: answer)) }
    }

    private mutating func requeue(counted: Int, heldUntil: Timestamp?, error: JobError?, cost: Int64) {
        delta.add(
            .requeue(
                JobRequeue(
                    job: job.id, attemptsCounted: counted, heldUntil: heldUntil, error: error, cost: cost)))
        delta.tallies.moved(lane: job.lane, batch: job.batch, from: .running, to: .queued)
    }

    private mutating func reject(_ failure: CheckFailure, counted: Int, cost: Int64) throws -> JobState {
        delta.add(.count(job: job.id, attemptsCounted: counted, cost: cost))
        releaseFollowers()
        // The next step's call may fail, and then this is the last answer there is.
        delta.add(.failCheck(job: job.id, failure, keeping: answer(cost: cost, uses: 1)))
        letGoOfEarlierAnswer()
        return try delta.follow(failure, job, settlement.answer, snapshot.check)
    }

    /// The job is another attempt's by now; the answer and the money are kept all the same.
    private mutating func settleForAnother(cost: Int64) {
        delta.add(.count(job: job.id, attemptsCounted: job.attemptsCounted, cost: cost))
        if let answer = sharedAnswer(cost: cost, uses: 0) { delta.add(.keep(answer)) }
        releaseFollowers()
    }

    /// Those that wait for this prompt find the answer at their claim; without one for others the first goes next.
    mutating func releaseFollowers() {
        guard let hash = attempt.promptHash else { return }
        // One after the other those of an answer that is of no use to others would take as long as their calls together.
        let whom: Release.Whom =
            isShareable
            ? .all(skippingCoalescing: false)
            : settlement.answer != nil ? .all(skippingCoalescing: true) : .first
        delta.add(.release(Release(whom, hash, route: attempt.home)))
        // The answer is the called route's: jobs of that route may wait for the same prompt.
        if isShareable, attempt.route != attempt.home {
            delta.add(.release(Release(.all(skippingCoalescing: false), hash, route: attempt.route)))
        }
    }

    // MARK: Answers

    /// Whether others may have the answer: one that failed its check is not for others.
    private var isShareable: Bool {
        if case .rejected = settlement.verdict { return false }
        return settlement.answer?.isCacheable == true
    }

    /// The answer to be stored for its own job, under its prompt hash if others may have it.
    private func answer(cost: Int64, uses: Int) -> NewAnswer? {
        guard let answer = settlement.answer else { return nil }
        return NewAnswer(
            answer: answer,
            hash: isShareable && settings.sharesAnswers ? attempt.promptHash : nil, route: attempt.route,
            job: job.id, cost: cost, uses: uses, expiresAt: now.timestamp + settings.cacheTTL)
    }

    /// The same if it is for others; nil otherwise.
    func sharedAnswer(cost: Int64, uses: Int) -> NewAnswer? {
        answer(cost: cost, uses: uses).flatMap { $0.hash == nil ? nil : $0 }
    }

    // MARK: Errors

    /// The error of a job that several routes could not do names each of them.
    private func naming(_ error: JobError) -> JobError {
        guard !snapshot.otherFailures.isEmpty else { return error }
        let others = snapshot.otherFailures.map { failure in
            "\(failure.route): "
                + (failure.error.map { "\($0.type): \($0.message)" } ?? "it gave no answer of use")
        }
        var named = error
        let all = others + ["\(snapshot.routeName): \(error.type): \(error.message)"]
        named.message = "no route could do it. " + all.joined(separator: "; ")
        return named
    }
}
