/// What people change, of jobs and of what holds them back; the rules of `Store` hold.
package protocol Changing: Store {
    func cancel(_ id: JobID) async throws -> ChangeOutcome
    /// Cancels a job whose call has not begun; refused with its state otherwise.
    func cancelIfQueued(_ id: JobID) async throws -> ChangeOutcome
    /// At most `limit` jobs a call, in the order of their ids; go on with `after` until fewer are changed.
    func cancel(_ filter: JobFilter, after: JobID?, limit: Int) async throws -> MassChange
    func retry(_ id: JobID, change: RetryChange) async throws -> ChangeOutcome
    func retry(_ filter: JobFilter, change: RetryChange, after: JobID?, limit: Int) async throws -> MassChange
    /// Decides of an answer in review; `note` is kept with it.
    func review(_ id: JobID, _ action: ReviewAction, note: String?) async throws -> ChangeOutcome
    /// The queue as it then is; it is made when it does not exist yet.
    func update(queue name: String, _ patch: QueuePatch) async throws -> QueueStatus
    /// The route as it then is; nil if no such route is known.
    func update(route name: String, paused: Bool) async throws -> RouteStatus?
    /// Sets the limits that the operator stated for a route.
    func configure(route: RouteKey, limits: RouteLimits) async throws
    /// Caps a route's calls in flight, over all workers; nil takes the cap away.
    func configure(route: RouteKey, concurrency: Int?) async throws
    /// States one budget, new or changed, if no configuration file does; what was spent in its window already counts.
    func set(_ budget: Budget) async throws -> BudgetStatus
    /// Takes a budget out of force that no configuration file states; false if there is none of that name.
    func remove(budget name: String) async throws -> Bool
    /// Forgets what is unconfirmed in the budget's present window: a person knows better. Nil if there is no such budget.
    func clearUnconfirmed(budget name: String) async throws -> BudgetStatus?
}
