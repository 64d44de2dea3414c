// The store on PostgreSQL: the twin of `JobStoreSQLite`, a file per verb, each with its SQL beside the code that binds and decodes it.
//
// A verb loads what its rules ask for in one round trip and writes what they decide in a second, with the commit. Callers of one process share
// transactions. All rules are values of `Jobs` and `StoreRules`; here they are only fetched, asked and stored.

package import Jobs
package import Postgres
package import StoreRules
import Synchronization

/// A `JobStore` in one PostgreSQL database, shared by any number of processes of any number of machines.
package final class PostgresJobStore: WholeStore {
    package let serverVersion: String
    let time: DatabaseTime
    let numbers = Numbers()
    private let terms: Mutex<StoreSettings>
    private let claiming: Session
    private let writing: Session
    private let reading: Session
    /// Claims, and what is alone.
    private let claims: Operations
    /// What goes beside them, on a connection of its own: a settlement does not wait for its own process's claim.
    private let settlements: Operations
    let settleBatcher = OperationBatcher<SettleEntry>(limit: SettleEntry.limit)
    let enqueueBatcher = OperationBatcher<EnqueueEntry>(limit: EnqueueEntry.limit)
    private let bell: ChangeBell
    let schema: SchemaWatch
    /// Nil if none is configured.
    let replica: Replica?
    /// Who renews itself here is known, whatever became of its row.
    let registered = Mutex<[WorkerID: NewWorker]>([:])

    /// Opens the database; its schema is made, or brought up to date, if needed.
    ///
    /// Lists, results and statistics are read from `standby` if there is one. `onDelay` is told who is in the way of the schema's next step. Throws `JobStoreError`: `schemaTooNew` for a database of a newer renga,
    /// `unsuitable` for a server or a database that cannot be one, `locked` if others do not make way, `unavailable` if no server answers.
    package convenience init(
        _ database: ConnectionSettings, settings: StoreSettings = StoreSettings(),
        time: TimeSource = .database, standby: ConnectionSettings? = nil,
        onDelay: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws {
        try await self.init(
            database, settings: settings, time: time, standby: standby, migrator: Migrator(onDelay: onDelay))
    }

    init(
        _ database: ConnectionSettings, settings: StoreSettings, time source: TimeSource,
        standby: ConnectionSettings? = nil, migrator: Migrator
    ) async throws {
        let report = settings.onNotice
        let schema = SchemaWatch(knowing: migrator.newest) { report($0) }
        self.schema = schema
        var (database, short) = (database, database)
        database.serverSettings.merge(Self.serverSettings) { given, _ in given }
        short.serverSettings.merge(Self.serverSettings) { given, _ in given }
        short.serverSettings.merge(Self.shortStatements) { given, _ in given }
        let (time, second) = (DatabaseTime(source), short)
        self.time = time
        terms = Mutex(settings)
        do {
            let random = SystemRandom()
            claiming = try Session(short, patienceMilliseconds: Self.patience, random: random)
            writing = try Session(short, patienceMilliseconds: Self.patience, random: random)
            reading = try Session(database, patienceMilliseconds: Self.patience, random: random)
            let writing = writing
            let cluster = try await Self.awaitServer {
                try await writing.run { connection in
                    try ServerCheck(first: connection, second: Connection.open(second)).run()
                    return connection.identity?.system
                }
            }
            replica = try standby.map { standby in
                var standby = standby
                standby.acceptsStandby = true
                standby.serverSettings.merge(Self.serverSettings) { given, _ in given }
                return try Replica(standby, of: cluster)
            }
            try await Self.awaitServer { try await migrator.run(writing) }
            serverVersion = try await Self.awaitServer {
                try await writing.run { connection in try Opening.look(connection, time) }
            }
            bell = try ChangeBell(database, reading, random: random)
        } catch {
            throw JobStoreError(error)
        }
        claims = Operations(claiming, time: time, numbers: numbers, schema: schema)
        settlements = Operations(writing, time: time, numbers: numbers, schema: schema)
    }

    /// Callers hear within five seconds that there is no database: what is asked waits for so many milliseconds.
    private static let patience = 3_000
    /// A start waits longer: the server may be starting too.
    private static let startPatience = Duration.seconds(10)

    /// Each connection's settings.
    ///
    /// Compiling a plan costs ten times what it saves in statements as short as these. A process that was stopped in a transaction, or
    /// whose machine is gone, holds the turn of all writers: the server ends its session. What a statement sees does not depend on a
    /// default of the role or the database.
    static let serverSettings = [
        "jit": "off", "idle_in_transaction_session_timeout": "5000",
        "default_transaction_isolation": "read committed",
    ]

    /// Each statement of a writing transaction goes by an index to some rows: planned once, and never as a scan, however small the
    /// tables were at that time.
    private static let shortStatements = [
        "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_bitmapscan": "off",
        "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_material": "off",
    ]

    /// Each step of a start, again if the server goes away meanwhile.
    private static func awaitServer<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        let end = ContinuousClock.now + startPatience
        while true {
            do {
                return try await body()
            } catch let error as PostgresError
                where [.unavailable, .again, .unknownOutcome].contains(error.kind)
            {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    package var settings: StoreSettings { terms.withLock { $0 } }

    /// Has this process go by other terms from its next operation on.
    func goBy(_ change: (inout StoreSettings) -> Void) {
        terms.withLock { change(&$0) }
    }

    package func now() -> Now { time.now() }

    package func changes() -> AsyncStream<Void> { bell.stream() }

    /// What this process has done with its connections for writing and for reading.
    package var work: SessionStatistics {
        [claiming, reading].reduce(into: writing.statistics) { work, session in
            let other = session.statistics
            work.requests += other.requests
            work.roundTrips += other.roundTrips
            work.connections += other.connections
        }
    }

    package func close() async {
        await bell.close()
        await claiming.close()
        await writing.close()
        await reading.close()
        await replica?.close()
    }

    /// How far this server's log is written: what was answered before is in it.
    func writtenPosition() async throws -> Int64 {
        try await reading.run([Call(.writtenPosition)])[0].first?.int64(0) ?? 0
    }

    /// Runs one operation in the next writing transaction, and keeps the tallies right.
    ///
    /// `needed` says how far a process of an older schema may still do that.
    func write<T: Sendable>(
        _ turn: Turn = .alone, needing needed: Schema.Standing = .works,
        _ body: @escaping @Sendable (WriteContext) throws -> T
    ) async throws -> T {
        let settings = settings
        do {
            let (value, events, notices) = try await operations(turn).run(turn, settings) { context in
                try context.permit.demand(needed)
                let value = try body(context)
                try context.flush()
                return (value, context.events, context.notices)
            }
            bell.ring()
            settings.report(events, notices)
            return value
        } catch {
            throw JobStoreError(error)
        }
    }

    /// The same without waiting for it; events are for the caller to report.
    func submit<T: Sendable>(
        _ turn: Turn, needing needed: Schema.Standing = .works,
        asking first: @escaping @Sendable () -> [Call] = { [] },
        _ body: @escaping @Sendable (WriteContext) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        operations(turn).submit(turn, settings, asking: first) { context in
            try context.permit.demand(needed)
            let value = try body(context)
            try context.flush()
            return value
        } completion: { [bell] result in
            bell.ring()
            completion(result)
        }
    }

    private func operations(_ turn: Turn) -> Operations { turn == .beside ? settlements : claims }

    /// Applies what settlements said to the rows that they share, if anything waits.
    package func applyClosings() async throws {
        guard try await read({ access in try !access.query([SharedClosings.any])[0].isEmpty }) else { return }
        try await write(.claim) { _ in }
    }

    /// Reads rows that settlements share with others, as they are with all that was settled.
    func readShared<T: Sendable>(_ body: @escaping @Sendable (Access) throws -> T) async throws -> T {
        try await applyClosings()
        return try await read(body)
    }

    /// Reads all tables as they were at one moment; once more if the connection is lost meanwhile.
    func read<T: Sendable>(_ body: @escaping @Sendable (Access) throws -> T) async throws -> T {
        var losses = 0
        while true {
            do {
                return try await reading.run { connection in
                    try connection.transaction(.snapshot) { transaction in try body(Access(transaction)) }
                }
            } catch let error as PostgresError where losses < 2 && error.mayBeReadAgain {
                losses += 1
            } catch {
                throw JobStoreError(error)
            }
        }
    }
}
