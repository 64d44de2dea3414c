package import Jobs

/// One thing that a decision changes in what is stored.
///
/// The order of finishing, numbers of new rows and the limits of bulk work are the store's.
package enum Change: Sendable {
    // MARK: Attempts

    /// The job is running, under a new attempt.
    case open(NewAttempt)
    case settle(AttemptSettlement)
    /// Its lease ran out: what it reserved is unconfirmed.
    case writeOff(AttemptKey, JobError)

    // MARK: Jobs

    /// A running job has its answer.
    case finish(JobFinish)
    /// A queued job has an answer that was there already.
    case serve(job: Int64, CachedAnswer)
    /// To a terminal state without an answer.
    case end(job: Int64, JobState, JobError?)
    /// A running job is queued again.
    case requeue(JobRequeue)
    /// A running job whose attempt was written off is ready again; `crashed` if its worker died under it.
    case putBack(job: Int64, crashed: Bool)
    /// Of a job that is settled otherwise, or another's by now.
    case count(job: Int64, attemptsCounted: Int, cost: Int64)
    case blame(job: Int64, JobBlame, isForgiven: Bool)
    /// Its place in its route's chain, until a retry.
    case fallBack(job: Int64, position: Int, Fallback.Cause)
    /// To another lane, with the state that it has there.
    case move(JobMove)
    /// No other job gets this place in the order of finishing.
    case leaveFinishOrder(Int64)

    // MARK: Waiting

    /// Until a time, or until the answer for a prompt hash comes.
    case hold(job: Int64, until: Timestamp, under: [UInt8]?)
    case release(Release)
    /// One call writes the provider's prompt cache for others.
    case prefix([UInt8], route: Int64, PrefixChange)

    // MARK: Answers and checks

    /// For others; it is no job's own.
    case keep(NewAnswer)
    case passCheck(job: Int64)
    case failCheck(job: Int64, CheckFailure, keeping: NewAnswer?)
    /// A running job whose answer failed its check waits for a person, or for its next call.
    case follow(job: Int64, JobState, JobError)
    case request(Int64, RequestChange, RequestFacts)
    /// A job whose check moved it to another route is at the head of that route's chain.
    case leaveChain(job: Int64)

    // MARK: Provider batches

    case beginBatch(BatchPlace, token: String)
    /// What it has so far.
    case fillBatch(FillingBatch)
    /// It is to be sent; called back at a time if its provider has not ended it.
    case sealBatch(BatchReference, recallAt: Timestamp?)
    case providerBatch(Int64, ProviderBatchUpdate)

    // MARK: Message batches

    case messageBatch(BatchID, MessageBatchUpdate)
    case delete(job: Int64)

    // MARK: What people change

    case update(job: Int64, JobUpdate)
    /// A job that had the answer has it no more.
    case decrementUses(answer: Int64)
    /// A job in review succeeds.
    case accept(job: Int64, ReviewedAnswer)
    case noteReview(job: Int64, ReviewAction, note: String?)
    /// A queue's jobs are no longer held back for a run of refusals: on one route, or on all.
    case liftStreaks(queue: Int64, route: Int64?)
    case queue(Int64, QueueChange)
    case route(Int64, RouteChange)
    case budget(BudgetChange)
    /// A person knows that the attempt cost no more than is settled.
    case clearUnconfirmed(AttemptKey)

    // MARK: What is shared

    case credential(CredentialState)
    /// The first money of a budget's present window.
    case openWindow(budget: Int64, startsAt: Timestamp)
    /// All that attempts hold of a window.
    case reserve(WindowReference, Money)
    /// The pass of the queue that was served last.
    case advance(FairScheduler)
    /// This worker finishes what runs before it takes a job that must run alone.
    case drain(WorkerID, until: Moment)
}

/// How an attempt closed in time, or late.
package struct AttemptSettlement: Sendable {
    package let settlement: Settlement
    package let counted: Bool
    package let word: String
    package let cost: Int64
    package let unconfirmedCost: Int64
}

/// A running job's own answer, and its cost on top of what it cost before.
package struct JobFinish: Sendable {
    package let job: Int64
    package let answer: NewAnswer
    package let attemptsCounted: Int
    package let cost: Int64
}

/// How a running job waits for its next attempt.
package struct JobRequeue: Sendable {
    package let job: Int64
    package let attemptsCounted: Int
    /// Nil if it is ready at once.
    package let heldUntil: Timestamp?
    /// Nil leaves the last one.
    package let error: JobError?
    package let cost: Int64
}

/// A job's way to the lane of a place, which is made if there is none.
package struct JobMove: Sendable {
    package let job: Int64
    package let from: Int64
    package let state: JobState
    package let place: LanePlace

    package init(job: Int64, from: Int64, state: JobState, place: LanePlace) {
        self.job = job
        self.from = from
        self.state = state
        self.place = place
    }
}

/// Jobs that wait under a hash on a route.
package struct Release: Sendable {
    package enum Whom: Hashable, Sendable {
        /// As the answer has come. `skippingCoalescing` if it is of no use to others: they wait for no further one, but call
        /// side by side.
        case all(skippingCoalescing: Bool)
        /// The call came to nothing: the first of them inherits it.
        case first
        /// The call comes to nothing until then: the first of them looks again at that time, as the job that has the call may
        /// be kept from repeating it (cancelled, or in a queue that was paused).
        case firstAt(Timestamp)
    }

    package let hash: [UInt8]
    package let route: Int64
    package let whom: Whom

    package init(_ whom: Whom, _ hash: [UInt8], route: Int64) {
        self.hash = hash
        self.route = route
        self.whom = whom
    }
}

/// What is known of a prefix in the provider's cache on one route.
package enum PrefixChange: Sendable {
    case awaited(by: AttemptKey, Moment)
    case warm(until: Moment)
    case gone
}

/// An answer to be stored once.
package struct NewAnswer: Sendable {
    package let answer: Answer
    /// Nil keeps it from others.
    package let hash: [UInt8]?
    package let route: Int64
    package let job: Int64
    package let cost: Int64
    /// Jobs that have it.
    package let uses: Int
    package let expiresAt: Timestamp
}

/// An answer that was stored, as a claim needs it.
package struct CachedAnswer: Sendable {
    package let id: Int64
    package let cost: Int64
    package let createdAt: Timestamp

    package init(id: Int64, cost: Int64, createdAt: Timestamp) {
        self.id = id
        self.cost = cost
        self.createdAt = createdAt
    }
}
