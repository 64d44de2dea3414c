/// What a verb holds between its load and its commit.
enum Lock: Hashable, Sendable {
    /// SQLite's write lock.
    case store
    case route(Int64)
    case queue(Int64)
    case budget(Int64)
    case job(Int64)
}

/// Which locks a store takes, and what else keeps its verbs apart.
struct Locks: Sendable {
    /// Nothing comes between a load and its commit.
    var store = false
    /// A claim locks its route, and those of its chain.
    var routes = true
    /// A claim locks the queues whose calls in flight are capped.
    var queues = true
    /// A claim locks the budgets that its lanes' jobs are paid from.
    var budgets = true
    /// Each verb locks the jobs that it changes, and passes by those that are locked.
    var jobs = true
    /// What a settlement changes of shared rows is news, folded in by the next claim under its locks.
    var settlesByNews = true
    /// A claim folds in news of the budgets and capped queues that it has locked too, whatever route it came from.
    var foldsAllThatItLocks = true
    /// A fold releases once more who waits for the call.
    var foldsReleases = true
    /// A claim asks for calls in flight before it asks for answers, or in one statement.
    var asksForCallsFirst = true

    static let sqlite = Locks(store: true)
    static let postgres = Locks()
}
