package import Jobs

// The ways a job ends; each of them once, from `queued` or from the attempt that holds it.
extension Delta {
    /// To a terminal state without an answer, or with none of its own; frees the jobs that wait for its call.
    package mutating func end(
        _ job: JobIdentity, from old: JobState, _ state: JobState, _ error: JobError?
    ) {
        add(.end(job: job.id, state, error))
        add(.release(Release(.first, job.promptHash, route: job.route)))
        releasePrefix(of: job)
        tallies.moved(lane: job.lane, batch: job.batch, from: old, to: state)
    }

    /// A queued job whose answer is there already: it costs nothing.
    package mutating func serve(_ job: JobIdentity, tags: [String], _ answer: CachedAnswer, at now: Timestamp)
    {
        add(.serve(job: job.id, answer))
        // It makes no call that would write the prefix: the next of those that wait for it does.
        releasePrefix(of: job)
        tallies.moved(lane: job.lane, batch: job.batch, from: .queued, to: .succeeded)
        // An answer younger than the job is one whose call the job waited for.
        let isShared = answer.createdAt >= JobID(job.id).createdAt
        tallies.spent(lane: job.lane, tags: tags, at: now) { spend in
            spend.cacheHits += 1
            spend.saved += answer.cost
            spend.sharedHits += isShared ? 1 : 0
            spend.sharedSaved += isShared ? answer.cost : 0
        }
        tallies.booked(batch: job.batch) { money in
            money.cacheHits += 1
            money.saved += answer.cost
        }
    }

    private mutating func releasePrefix(of job: JobIdentity) {
        guard let prefix = job.prefix else { return }
        add(.release(Release(.first, prefix.hash, route: job.route)))
    }
}
