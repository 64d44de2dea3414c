/// What is there to be read; the rules of `Store` hold.
package protocol Reading: Store, ListReading {
    func job(_ id: JobID) async throws -> Job?
    /// Lists, results and statistics from a standby that has what the database had moments ago, if there is one; else from the database.
    ///
    /// The closure may run twice, if the standby fails it.
    func lists<T: Sendable>(_ body: @Sendable (any ListReading) async throws -> T) async throws -> Dated<T>
    /// Nil if the job is not known.
    func attempts(of id: JobID) async throws -> [Attempt]?
    /// The states of those of the jobs that are known.
    func states(of ids: [JobID]) async throws -> [JobID: JobState]
    func count(_ filter: JobFilter) async throws -> Int
    func batch(_ id: BatchID) async throws -> Batch?
    func batch(named name: String) async throws -> Batch?
    func batches(before: BatchID?, limit: Int) async throws -> [Batch]
    func queue(_ name: String) async throws -> QueueStatus?
    func queues() async throws -> [QueueStatus]
    func routes() async throws -> [RouteStatus]
    func budgets() async throws -> [BudgetStatus]
    /// Newest first, ids below `before`.
    func events(before: Int64?, limit: Int) async throws -> [StoredEvent]
    /// Throws when the database cannot be written or its schema is not this program's.
    func checkReady() async throws -> StoreFacts
    /// Why `checkReady` may not return for a while, for people: “its write lock is held, or the disk stands still”.
    var standstill: String { get }
}
