// The store on SQLite: a file per verb, each with its SQL beside the code that binds and decodes it.
//
// Every write is one operation of the writer's group commit, so what a method has returned is on disk; only calls that are
// begun are synced a moment later. Reads have connections of their own. All rules are values of `Jobs`; here they are only
// fetched, asked and stored.

package import Jobs
import SQLite
package import StoreRules
import Synchronization

/// A `JobStore` in one SQLite file, shared by any number of processes of one machine.
package final class SQLiteJobStore: JobStore {
    let writer: Writer
    let readers: Readers
    let watcher: ChangeWatcher
    private let terms: Mutex<StoreSettings>
    let options: SQLiteOptions
    /// Who renews itself here is known, whatever became of its row.
    let registered = Mutex<[WorkerID: NewWorker]>([:])
    let path: String
    private let file: DatabaseFile
    let clock: StoreClock
    let settleBatcher = OperationBatcher<SettleEntry>(limit: SettleEntry.limit)

    /// Opens the file, creating it and bringing its schema up to date if needed.
    ///
    /// `clock` is this machine's, whose epoch is the kernel's boot; `attest` compares its calendar with the others'.
    /// Throws `JobStoreError`: `schemaTooNew` for a database of a newer renga, `unsuitable` for a file or a volume that
    /// cannot be one.
    package init(
        path: String, settings: StoreSettings = StoreSettings(), options: SQLiteOptions = SQLiteOptions(),
        clock: any Clock
    ) async throws {
        self.path = path
        self.options = options
        self.clock = StoreClock(clock, patience: options.calendarPatience)
        terms = Mutex(settings)
        guard path != ":memory:", !path.isEmpty else {
            throw JobStoreError(
                .unsuitable,
                "a database in memory cannot be shared by several connections: name a file (--database PATH)")
        }
        do {
            file = try DatabaseFile(path: path, mode: options.fileMode)
            let recent = RecentAnswers(isWriter: true)
            var hooks = WriterHooks(recent)
            hooks.readerStays = options.onLongReader
            writer = try Writer(path: path, hooks: hooks)
            try await writer.write { connection in
                connection.memory = recent
                try Schema.migrate(connection)
            }
            if file.isFirst { try await Self.beginLog(writer, file) }
            readers = try Readers(path: path, count: options.readers)
            watcher = try ChangeWatcher(path: path)
        } catch {
            throw JobStoreError(error)
        }
    }

    var settings: StoreSettings { terms.withLock { $0 } }

    /// Other settings, from the next operation on.
    func change(_ body: (inout StoreSettings) -> Void) {
        terms.withLock { body(&$0) }
    }

    package func now() -> Now { clock.now() }

    package func close() async {
        watcher.stop()
        await readers.close()
        await writer.close()
        file.close()
    }

    /// Has the log begun, so that it is known from then on as the file's.
    private static func beginLog(_ writer: Writer, _ file: DatabaseFile) async throws {
        do {
            try await writer.write { connection in try Schema.rewriteVersion(connection) }
            try file.noteLog()
        } catch let error as SQLiteError where error.primaryCode == SQLiteError.full {
            // Reading goes on if the disk is full; the next start knows the log by the file's mark.
        }
    }

    package func changes() -> AsyncStream<Void> {
        watcher.changes()
    }

    /// Runs one operation in the writer's next transaction, at the time of this call, and keeps the tallies right.
    ///
    /// With `needsSync` only outcomes for which it is true are certain to be on disk before they are returned.
    func write<T: Sendable>(
        needsSync: (@Sendable (T) -> Bool)? = nil,
        _ body: @escaping @Sendable (WriteContext) throws -> T
    ) async throws -> T {
        let (now, settings, options) = (now(), settings, options)
        let syncing: Syncing<(T, [StoredEvent], [StateNotice])> =
            needsSync.map { isNeeded in .when { isNeeded($0.0) } } ?? .always
        do {
            let (value, events, notices) = try await writer.write(syncing: syncing) { connection in
                let context = WriteContext(connection, now: now, settings: settings, options: options)
                let value = try body(context)
                try context.flush()
                return (value, context.events, context.notices)
            }
            settings.report(events, notices)
            return value
        } catch {
            throw JobStoreError(error)
        }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
        do {
            return try await readers.read(body)
        } catch {
            throw JobStoreError(error)
        }
    }
}

extension WriterHooks {
    fileprivate init(_ recent: RecentAnswers) {
        self.init(
            operationBegins: { recent.operationBegins() }, operationUndone: { recent.operationUndone() },
            beforeCommit: { connection in try Schema.checkKnown(connection) },
            committed: { recent.committed() }, transactionUndone: { recent.transactionUndone() })
    }
}

extension JobStoreError {
    init(_ error: any Error) {
        switch error {
        case let error as JobStoreError: self = error
        case let error as SQLiteError: self.init(error)
        default: self.init(.internal, "\(error)")
        }
    }

    private init(_ error: SQLiteError) {
        let code: Code =
            switch error.primaryCode {
            case SQLiteError.full: .full
            case SQLiteError.busy, SQLiteError.inUse: .locked
            case SQLiteError.ioError, SQLiteError.cannotOpen, SQLiteError.readOnly: .unavailable
            case SQLiteError.overloaded, SQLiteError.system: .unavailable
            case SQLiteError.unsafeVolume, SQLiteError.notADatabase, SQLiteError.corrupt,
                SQLiteError.foreignLog, SQLiteError.missingDatabase:
                .unsuitable
            case SQLiteError.moved: .moved
            case SQLiteError.closed: .closed
            default: .internal
            }
        self.init(code, "\(error)")
    }
}
