/// What workers do; the rules of `Store` hold.
package protocol Working: Store {
    func register(_ worker: NewWorker) async throws -> WorkerID
    func unregister(_ worker: WorkerID) async throws
    /// Opens attempts for free slots, and settles from the cache what needs no call.
    func claim(_ request: ClaimRequest) async throws -> Claim
    /// Takes jobs into the worker's interactive lanes and claims from them, in one transaction.
    ///
    /// One that is known by its idempotency key and still waits, or failed in a way that may pass, is taken over. Jobs that
    /// have not ended when this returns outlive the process, but a power cut within moments may take them.
    func enqueueAndClaim(_ jobs: [NewJob], claiming request: ClaimRequest) async throws
        -> EnqueueAndClaimResult
    /// Says that the worker lives, and lengthens the leases it still holds. Returns the attempts that are no longer its.
    func renew(_ worker: WorkerID, attempts: [AttemptKey], lease: Milliseconds) async throws -> [AttemptKey]
    /// Those of the worker's open attempts whose job has been cancelled or taken away; reads only.
    func revoked(_ worker: WorkerID) async throws -> [AttemptKey]
    /// Takes in what the beginning of an answer tells of its route; does nothing once the attempt is closed.
    func noteBeginning(_ beginning: AnswerBeginning) async throws
    /// Closes one attempt: its money always, its job only if the attempt still holds it.
    func settle(_ settlement: Settlement) async throws -> SettleOutcome
    /// Writes off attempts whose lease ran out, ends jobs whose deadline passed; bounded work, `more` when some is left.
    func reap() async throws -> Reaping
    /// Deletes jobs that finished longer ago than `age`, and expired answers; bounded work, `more` when some is left.
    func prune(olderThan age: Milliseconds) async throws -> Pruning
}
