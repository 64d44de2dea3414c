import JobStoreSQLite
import Jobs
import SQLite
import System
import Telemetry

/// What every service stands on: the log, the clocks, the open database.
struct Foundations: Sendable {
    let settings: ServiceSettings
    let log: Log
    let clock = SystemNow()
    let store: SQLiteJobStore

    /// Opens the database, bringing its schema up to date, and says so in the log.
    init(_ settings: ServiceSettings, command: String, log: Log) async throws {
        self.settings = settings
        self.log = log
        let files = raiseFileLimit()
        let store = try await Self.open(settings.database, cacheTTL: settings.cacheTTL)
        self.store = store
        log.info(
            "renga starts",
            [
                "command": "\(command)", "version": "\(Version.current)", "database": "\(settings.database)",
                "sqlite": "\(SQLiteVersion.current)", "sqlite_wal_bug": .bool(SQLiteVersion.hasWALResetBug),
                "file_limit": .int(files),
            ])
    }

    /// The store in a file, made where it is missing.
    static func open(_ path: String, cacheTTL: Milliseconds? = nil) async throws -> SQLiteJobStore {
        do {
            let settings = cacheTTL.map { StoreSettings(cacheTTL: $0) } ?? StoreSettings()
            return try await SQLiteJobStore(path: path, settings: settings)
        } catch let error as JobStoreError {
            throw Failure("RENGA_DATABASE is “\(path)”, which cannot be used: \(error.message)")
        }
    }

    /// Tells the store the limits that the operator stated for the default route.
    func state(_ limits: RouteLimits?, of service: ServiceKey) async throws {
        guard let limits else { return }
        try await store.configure(
            route: RouteKey(service: service, model: settings.model), limits: limits, now: clock.now())
    }
}

extension Log {
    /// To standard error: for people on a terminal, JSON everywhere else.
    static func standard(_ level: Level) -> Log {
        let clock = SystemClock()
        return Log(
            level: level, format: isTerminal(2) ? .human : .json, now: { clock.timestampMilliseconds() },
            // Where standard error is closed nobody reads the log.
            sink: { try? writeAll(2, $0) })
    }
}
