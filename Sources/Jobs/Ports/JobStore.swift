/// Where jobs live: the seam between what renga is and the database that holds it.
///
/// Domain verbs, one transaction each; no connection, SQL or dialect crosses it. What a method has returned is on
/// disk. Every method is safe to call from any number of processes on one database. Errors are `JobStoreError`.
package protocol JobStore: Sendable {
    // Enqueueing

    /// Takes jobs in, in order. With `atomically`, one that cannot be taken keeps all the others out too.
    func enqueue(_ jobs: [NewJob], atomically: Bool, now: Now) async throws -> [EnqueueOutcome]
    /// Says what `enqueue` would do, and changes nothing.
    func preview(_ jobs: [NewJob], now: Now) async throws -> [EnqueuePreview]
    /// Opens a batch; an existing one of that name is returned as it is.
    func createBatch(name: String, metadata: [UInt8]?, now: Now) async throws -> Batch

    // Working

    func register(_ worker: NewWorker, now: Now) async throws -> WorkerID
    func unregister(_ worker: WorkerID, now: Now) async throws
    /// Opens attempts for free slots, and settles from the cache what needs no call.
    func claim(_ request: ClaimRequest, now: Now) async throws -> Claim
    /// Takes jobs into the worker's own line and claims from it, in one transaction.
    ///
    /// One that is known by its idempotency key and still waits, or failed in a way that may pass, is taken over.
    func enqueueAndClaim(_ jobs: [NewJob], claiming request: ClaimRequest, now: Now) async throws
        -> EnqueueAndClaimResult
    /// Says that the worker lives, and lengthens the leases it still holds. Returns the attempts that are no longer its.
    func renew(_ worker: WorkerID, attempts: [AttemptKey], lease: Milliseconds, now: Now) async throws
        -> [AttemptKey]
    /// Those of the worker's open attempts whose job has been cancelled or taken away; reads only.
    func revoked(_ worker: WorkerID) async throws -> [AttemptKey]
    /// Takes in what the beginning of an answer tells of its route; does nothing once the attempt is closed.
    func hear(_ beginning: AnswerBeginning, now: Now) async throws
    /// Closes one attempt: its money always, its job only where the attempt still holds it.
    func settle(_ settlement: Settlement, now: Now) async throws -> SettleOutcome
    /// Writes off attempts whose lease ran out, ends jobs whose deadline passed; bounded work, `more` when some is left.
    func reap(now: Now) async throws -> Reaping
    /// Deletes finished jobs older than the retention and expired answers; bounded work.
    func prune(finishedBefore: Timestamp, now: Now) async throws -> Pruning

    // Changing

    func cancel(_ id: JobID, now: Now) async throws -> ChangeOutcome
    /// Cancels a job whose call has not begun; refused with its state otherwise.
    func cancelIfQueued(_ id: JobID, now: Now) async throws -> ChangeOutcome
    /// At most `limit` jobs a call, in the order of their ids; go on with `after` until fewer are changed.
    func cancel(_ filter: JobFilter, after: JobID?, limit: Int, now: Now) async throws -> MassChange
    func retry(_ id: JobID, change: RetryChange, now: Now) async throws -> ChangeOutcome
    func retry(
        _ filter: JobFilter, change: RetryChange, after: JobID?, limit: Int, now: Now
    ) async throws -> MassChange
    /// Decides of an answer in review; `note` is kept with it.
    func review(_ id: JobID, _ action: ReviewAction, note: String?, now: Now) async throws -> ChangeOutcome
    func count(_ filter: JobFilter) async throws -> Int
    /// The queue as it then is; it is made when it does not exist yet.
    func update(queue name: String, _ patch: QueuePatch, now: Now) async throws -> QueueStatus
    /// The route as it then is; nil where no such route is known.
    func update(route name: String, paused: Bool, now: Now) async throws -> RouteStatus?
    /// Sets the limits that the operator stated for a route.
    func configure(route: RouteKey, limits: RouteLimits, now: Now) async throws
    /// Caps a route's calls in flight, over all workers; nil takes the cap away.
    func configure(route: RouteKey, concurrency: Int?, now: Now) async throws
    /// States budgets, new or changed, by their names; those not named stay as they are.
    func configure(budgets: [Budget], now: Now) async throws
    /// States one budget, new or changed, where no configuration file does; what was spent in its window already counts.
    func set(_ budget: Budget, now: Now) async throws -> BudgetStatus
    /// Takes a budget out of force that no configuration file states; false where there is none of that name.
    func remove(budget name: String, now: Now) async throws -> Bool
    /// Forgets what is unconfirmed in the budget's present window: a person knows better. Nil where there is no such budget.
    func clearUnconfirmed(budget name: String, now: Now) async throws -> BudgetStatus?

    // Inspecting

    func job(_ id: JobID, now: Now) async throws -> Job?
    /// Newest first, ids below `before`; bodies only where asked for.
    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies, now: Now) async throws -> [Job]
    /// Nil where the job is not known.
    func attempts(of id: JobID) async throws -> [Attempt]?
    /// The states of those of the jobs that are known.
    func states(of ids: [JobID]) async throws -> [JobID: JobState]
    func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob]
    func batch(_ id: BatchID) async throws -> Batch?
    func batch(named name: String) async throws -> Batch?
    func batches(before: BatchID?, limit: Int) async throws -> [Batch]
    func queue(_ name: String) async throws -> QueueStatus?
    func queues() async throws -> [QueueStatus]
    func routes(now: Now) async throws -> [RouteStatus]
    func stats(now: Now) async throws -> Stats
    func budgets(now: Now) async throws -> [BudgetStatus]
    /// What was spent in the last so many UTC days, dearest first; by day, newest first.
    func spend(by axis: SpendAxis, days: Int, now: Now) async throws -> [SpendShare]
    /// Newest first, ids below `before`.
    func events(before: Int64?, limit: Int) async throws -> [StoredEvent]
    /// Throws when the database cannot be written or its schema is not this program's.
    func checkReady() async throws -> StoreFacts
    /// A consistent copy of the database into a new file.
    func backup(to path: String) async throws

    /// Yields after the database may have changed, whichever process changed it; many changes may be one element.
    func changes() -> AsyncStream<Void>
    /// Ends the store's threads after what was accepted is done.
    func close() async
}

/// Why the store could not do as asked.
package struct JobStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// No room on the disk: nothing was changed; try again when there is.
        case full
        /// The disk or the file system failed.
        case unavailable
        /// Another program holds the database's lock.
        case locked
        /// The database's schema is newer than this program.
        case schemaTooNew
        /// The file is not a renga database, or cannot be one (a network volume).
        case unsuitable
        /// The database's file is no longer where it was opened.
        case moved
        /// The store was closed.
        case closed
        /// A configuration file states it, and only there it can be changed.
        case statedByConfiguration
        /// Another configuration is in force than this process has.
        case superseded
        case `internal`
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
