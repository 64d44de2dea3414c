/// What is there to be read; the rules of `Store` hold.
package protocol Reading: Store {
    func job(_ id: JobID) async throws -> Job?
    /// Newest first, ids below `before`; bodies only if asked for.
    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job]
    /// Nil if the job is not known.
    func attempts(of id: JobID) async throws -> [Attempt]?
    /// The states of those of the jobs that are known.
    func states(of ids: [JobID]) async throws -> [JobID: JobState]
    func count(_ filter: JobFilter) async throws -> Int
    func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob]
    func batch(_ id: BatchID) async throws -> Batch?
    func batch(named name: String) async throws -> Batch?
    func batches(before: BatchID?, limit: Int) async throws -> [Batch]
    func queue(_ name: String) async throws -> QueueStatus?
    func queues() async throws -> [QueueStatus]
    func routes() async throws -> [RouteStatus]
    func stats() async throws -> Stats
    func budgets() async throws -> [BudgetStatus]
    /// What was spent in the last so many UTC days, dearest first; by day, newest first.
    func spend(by axis: SpendAxis, days: Int) async throws -> [SpendShare]
    /// Newest first, ids below `before`.
    func events(before: Int64?, limit: Int) async throws -> [StoredEvent]
    /// Throws when the database cannot be written or its schema is not this program's.
    func checkReady() async throws -> StoreFacts
    /// Why `checkReady` may not return for a while, for people: “its write lock is held, or the disk stands still”.
    var standstill: String { get }
}
