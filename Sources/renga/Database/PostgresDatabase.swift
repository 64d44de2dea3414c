import JobStorePostgres
import Jobs
import Postgres
import StoreRules
import Telemetry

/// A database on a PostgreSQL server.
struct PostgresDatabase: Database {
    let settings: ConnectionSettings

    /// Throws `UsageError` for an address that cannot be one, or a password in a flag.
    init(url: String, _ invocation: Invocation) throws {
        do {
            let origin: ConnectionSettings.Origin =
                invocation.isFlagged(Settings.database) ? .flag : .environment
            settings = try ConnectionSettings(
                url: url, from: origin, password: try invocation.databasePassword())
        } catch let error as PostgresError {
            throw UsageError("RENGA_DATABASE cannot be used: \(error.message)")
        }
    }

    var name: String { "\(settings)" }
    var stated: String { "\(settings)" }

    func forTrial() throws -> any Database {
        throw UsageError(
            """
            RENGA_DATABASE is \(name), and a simulator's answers are never kept beside a model's: \
            name a database for the trial, such as --database ./renga-demo.db
            """)
    }

    /// A service's start makes the tables if they are missing; nobody but an operator makes a database.
    func missing(_ invocation: Invocation) -> MissingDatabase? { nil }
    func checkLimits() {}

    func open(_ terms: OpeningTerms) async throws -> any OpenDatabase {
        do {
            let log = terms.log
            let store = try await PostgresJobStore(settings, settings: terms.settings) { reason in
                log.notice("the schema's next step waits", ["in_its_way": "\(reason)"])
            }
            return OpenPostgres(postgres: store)
        } catch let error as JobStoreError {
            throw Failure(
                "RENGA_DATABASE is \(name), which cannot be used: \(error.message)",
                status: error.code == .locked ? .tryAgain : .failed)
        }
    }

    func backup(to copy: String) throws {
        throw Failure(
            """
            \(name) is a PostgreSQL database, which its own tools copy while it is in use:
              pg_dump --format custom --file \(Shell.quoted(copy)) --dbname \(Shell.quoted(name))
            For a copy up to the last moment let the server archive its log (point-in-time recovery)
            """)
    }

    func restore(from file: String, isTrial: Bool) throws -> Restored {
        throw Failure(
            """
            \(name) is a PostgreSQL database, which its own tools restore. Stop renga, make an empty database, then:
              pg_restore --no-owner --dbname \(Shell.quoted(name)) \(Shell.quoted(file))
            """)
    }
}

// MARK: - Doctor

extension PostgresDatabase {
    func examine(ofServer: Bool) -> [Finding] {
        do {
            let found = try PostgresCheck(settings)
            return [schema(found), connections(found), snapshots(found)] + cautions(found)
        } catch {
            return [.broken("database", "\(name) cannot be used: \(error.message)")]
        }
    }

    private func schema(_ found: PostgresCheck) -> Finding {
        guard let version = found.schemaVersion else {
            return .fine("database", "\(name) has no tables of renga yet; the first start makes them")
        }
        guard version <= found.knownVersion else {
            return .broken("database", "\(name) was made by a newer renga: install that version")
        }
        return .fine("database", "\(name), schema \(version), \(Text.bytes(Int(found.bytes)))")
    }

    private func connections(_ found: PostgresCheck) -> Finding {
        let text = "\(found.connections) of \(found.connectionLimit) in use; a renga process takes four"
        return found.connections + 8 > found.connectionLimit
            ? .doubtful("connections", "\(text): raise max_connections") : .fine("connections", text)
    }

    /// One that stays open keeps dead rows from being cleared, and every claim passes by them.
    private func snapshots(_ found: PostgresCheck) -> Finding {
        guard let age = found.oldestSnapshotSeconds, age >= 300 else {
            return .fine("snapshots", "none is older than five minutes")
        }
        return .doubtful(
            "snapshots",
            """
            the server's process \(found.oldestSnapshotProcess ?? 0) has kept one view of the database for \(age) s, and nothing \
            that is deleted since is cleared: end its transaction (pg_terminate_backend)
            """)
    }

    private func cautions(_ found: PostgresCheck) -> [Finding] {
        found.cautions.map { .doubtful("settings", $0) }
    }

    func agreement(on subjects: [String]) throws -> AgreementCheck? {
        try AgreementCheck(settings, subjects: subjects)
    }

    func engine() -> Finding {
        do {
            let found = try PostgresCheck(settings)
            return .fine("postgresql", "\(found.version), \(found.replication)")
        } catch {
            return .broken("postgresql", error.message)
        }
    }
}

private struct OpenPostgres: OpenDatabase {
    let postgres: PostgresJobStore

    var store: any WholeStore { postgres }
    var calendar: (any CalendarAttesting)? { nil }
    var engine: (name: String, version: String) { ("postgresql", postgres.serverVersion) }
    func remark(in log: Log) {}

    var work: Log.Fields {
        let work = postgres.work
        return [
            "requests": .int(work.requests), "round_trips": .int(work.roundTrips),
            "connections": .int(work.connections),
        ]
    }
}
