import Jobs
import Postgres
import StoreRules
import Telemetry

/// The database that RENGA_DATABASE names: what an engine must say and do besides the ports of its store.
protocol Database: Sendable {
    /// For people; never with a password.
    var name: String { get }
    /// The same for programs in other folders, as `/v1/settings` shows it.
    var stated: String { get }
    /// The same of a standby that lists are read from; nil if there is none.
    var statedStandby: String? { get }
    /// Where a trial keeps its jobs: a simulator's answers are never kept beside a model's.
    ///
    /// Throws `UsageError` if it has to be named.
    func forTrial() throws -> any Database
    /// What to say if it is not there, and only a start of a service may make it; nil if it is there.
    func missing(_ invocation: Invocation) -> MissingDatabase?
    /// Throws `Failure` if the system lets this process have too little for it.
    func checkLimits() throws

    /// Makes it if it is missing, and brings its schema up to date.
    ///
    /// Throws `Failure`.
    func open(_ terms: OpeningTerms) async throws -> any OpenDatabase
    /// Throws `Failure`.
    func backup(to copy: String) async throws
    /// With `isTrial` nothing is changed. Throws `Failure`.
    func restore(from file: String, isTrial: Bool) async throws -> Restored

    /// What `doctor` finds of it, changing nothing; `ofServer` if it was named by a server, whose machine may be another.
    func examine(ofServer: Bool) async -> [Finding]
    /// Nil if there is none yet, or it is not of this program's schema.
    func agreement(on subjects: [String]) async throws -> AgreementCheck?
    /// What `doctor` says of the engine.
    func engine() async -> Finding
}

extension Database {
    var statedStandby: String? { nil }
}

/// A database in use.
protocol OpenDatabase: Sendable {
    var store: any WholeStore { get }
    /// Nil if the database has a calendar of its own.
    var calendar: (any CalendarAttesting)? { get }
    /// What log lines call the engine, and its version.
    var engine: (name: String, version: String) { get }
    /// Says in the log, at a start, what there is to know of this engine.
    func remark(in log: Log)
    /// What this process has done with it, for the log.
    var work: Log.Fields { get }
}

/// What a process brings when it opens a database.
struct OpeningTerms: Sendable {
    var settings = StoreSettings()
    /// How long a calendar that differs must be claimed before it counts, if calendars are agreed on; 0 for at once.
    var calendarPatience: Milliseconds = 0
    var log = Log.silent
}

/// What came into a database's place, or could.
struct Restored: Sendable {
    var schemaVersion: Int
    var jobs: Int
    /// Whether the file was copied while it was in use, without what its log held.
    var wasInUse: Bool
    /// What the former database is called now; nil if there was none, or nothing was changed.
    var kept: String?
}

extension Invocation {
    /// With `reading`, for commands that read the setting of a standby for lists too.
    ///
    /// Throws `UsageError` if it names none that can be used.
    func database(reading: Bool = false) throws -> any Database {
        let name = try value(of: Settings.database)
        let standby = reading ? try optional(Settings.databaseRead) : nil
        if ConnectionSettings.isURL(name) {
            var database = try PostgresDatabase(
                url: name, from: isFlagged(Settings.database) ? .flag : .environment,
                label: Settings.database.name, self)
            if let standby { try database.read(from: standby, self) }
            return database
        }
        if standby != nil {
            throw UsageError(
                "RENGA_DATABASE_READ names a standby of a PostgreSQL server, and RENGA_DATABASE is “\(name)”: leave it out"
            )
        }
        return SQLiteDatabase(path: name, fileMode: try value(of: Settings.fileMode))
    }
}
