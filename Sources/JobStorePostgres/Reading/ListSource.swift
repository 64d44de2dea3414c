package import Jobs
import Postgres
import StoreRules

/// Where lists, results and statistics are read: the database, or a standby of it.
protocol ListSource: Sendable {
    var settings: StoreSettings { get }
    var isStandby: Bool { get }
    func now() -> Now
    /// All tables as they were at one moment.
    func read<T: Sendable>(_ body: @escaping @Sendable (Access) throws -> T) async throws -> T
    /// The same, with all that settlements said to rows that they share; a standby has that a little later.
    func readShared<T: Sendable>(_ body: @escaping @Sendable (Access) throws -> T) async throws -> T
    func budgets() async throws -> [BudgetStatus]
}

extension ListSource {
    func readShared<T: Sendable>(_ body: @escaping @Sendable (Access) throws -> T) async throws -> T {
        try await read(body)
    }
}

extension PostgresJobStore: ListSource {
    var isStandby: Bool { false }

    package func lists<T: Sendable>(
        _ body: @Sendable (any ListReading) async throws -> T
    ) async throws -> Dated<T> {
        if let replica {
            let lists = StandbyLists(store: self, replica: replica)
            do {
                let value = try await body(lists)
                return Dated(value, asOf: lists.asOf)
            } catch is StandbyLists.Unfit {
                // Why stands in the replica's facts.
            }
        }
        return Dated(try await body(self))
    }
}

/// Lists as a standby has them; budgets are the database's.
private final class StandbyLists: ListSource, ListReading {
    /// The database has to be asked instead.
    struct Unfit: Error {}

    private let store: PostgresJobStore
    private let replica: Replica
    private let freshness: Replica.Freshness
    private let oldest: Oldest

    init(store: PostgresJobStore, replica: Replica) {
        (self.store, self.replica) = (store, replica)
        freshness = .recent
        oldest = Oldest()
    }

    private init(_ other: StandbyLists, _ freshness: Replica.Freshness) {
        (store, replica, oldest) = (other.store, other.replica, other.oldest)
        self.freshness = freshness
    }

    var asOf: Timestamp? { oldest.time }
    var settings: StoreSettings { store.settings }
    var isStandby: Bool { true }
    func now() -> Now { store.now() }
    func budgets() async throws -> [BudgetStatus] { try await store.budgets() }

    func read<T: Sendable>(_ body: @escaping @Sendable (Access) throws -> T) async throws -> T {
        let found = await replica.read(
            freshness, now: now(), position: { [store] in try await store.writtenPosition() }, body)
        guard let found else { throw Unfit() }
        oldest.note(found.asOf)
        return found.value
    }

    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, bodies: Bodies) async throws -> [Job] {
        try await readJobs(filter, before: before, limit: limit, bodies: bodies)
    }

    /// A batch that has ended, as the database says, must not lack any of its results.
    func results(_ query: ResultsQuery, after: Int64, limit: Int) async throws -> [FinishedJob] {
        try await StandbyLists(self, .current).readResults(query, after: after, limit: limit)
    }

    func stats() async throws -> Stats { try await readStats() }

    func spend(by axis: SpendAxis, days: Int) async throws -> [SpendShare] {
        try await readSpend(by: axis, days: days)
    }
}
