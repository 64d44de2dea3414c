import JobStorePostgres
import Jobs
import Postgres
import StoreRules
import Telemetry

/// A database on a PostgreSQL server.
struct PostgresDatabase: Database {
    let settings: ConnectionSettings

    /// A standby of it for lists, results and statistics; nil if none is named.
    private(set) var standby: ConnectionSettings?

    /// Throws `UsageError` for an address that cannot be one, or a password in a flag; `label` is what gave the address.
    init(
        url: String, from origin: ConnectionSettings.Origin, label: String, _ invocation: Invocation
    ) throws {
        settings = try Self.settings(url, from: origin, label: label, invocation)
    }

    mutating func read(from url: String, _ invocation: Invocation) throws {
        standby = try Self.settings(
            url, from: invocation.isFlagged(Settings.databaseRead) ? .flag : .environment,
            label: Settings.databaseRead.name, invocation)
    }

    private static func settings(
        _ url: String, from origin: ConnectionSettings.Origin, label: String, _ invocation: Invocation
    ) throws -> ConnectionSettings {
        do {
            return try ConnectionSettings(
                url: url, from: origin, password: try invocation.databasePassword())
        } catch let error as PostgresError {
            throw UsageError("\(label) cannot be used: \(error.message)")
        }
    }

    var name: String { "\(settings)" }
    var stated: String { "\(settings)" }
    var statedStandby: String? { standby.map { "\($0)" } }

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
            let store = try await PostgresJobStore(settings, settings: terms.settings, standby: standby) {
                reason in
                log.notice("the schema's next step waits", ["in_its_way": "\(reason)"])
            }
            return OpenPostgres(postgres: store)
        } catch let error as JobStoreError {
            throw Failure(
                "RENGA_DATABASE is \(name), which cannot be used: \(error.message)",
                status: error.code == .locked ? .tryAgain : .failed)
        }
    }

    /// What settlements left to the next claim is in the rows afterwards.
    func applyClosings() async throws {
        let store = try await PostgresJobStore(settings)
        do {
            try await store.applyClosings()
        } catch {
            await store.close()
            throw error
        }
        await store.close()
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
            return [schema(found), connections(found), hearing(found)]
                + found.health.remarks.map { remark in
                    remark.isCaution
                        ? .doubtful(remark.subject, remark.text) : .fine(remark.subject, remark.text)
                } + cautions(found) + readReplica()
        } catch {
            return [.broken("database", "\(name) cannot be used: \(error.message)")]
        }
    }

    private func schema(_ found: PostgresCheck) -> Finding {
        guard let version = found.schemaVersion else {
            return .fine("database", "\(name) has no tables of renga yet; the first start makes them")
        }
        if let refusal = found.moveRefusal { return .broken("database", "\(name): \(refusal)") }
        guard found.mayWork else {
            return .broken("database", "\(name) was made by a newer renga: install that version")
        }
        return .fine("database", "\(name), schema \(version), \(Text.bytes(Int(found.bytes)))")
    }

    private func connections(_ found: PostgresCheck) -> Finding {
        let text = "\(found.connections) of \(found.connectionLimit) in use; a renga process takes four"
        return found.connections + 8 > found.connectionLimit
            ? .doubtful("connections", "\(text): raise max_connections") : .fine("connections", text)
    }

    private func hearing(_ found: PostgresCheck) -> Finding {
        found.hears
            ? .fine("notifications", "one session hears another")
            : .doubtful(
                "notifications",
                "a session did not hear within 5 s what another said (LISTEN): work is found later. Connect to the server itself"
            )
    }

    private func readReplica() -> [Finding] {
        guard let standby else { return [] }
        do {
            let text = try ReplicaCheck(standby, of: settings).text
            return [.fine("read replica", "\(standby), \(text)")]
        } catch {
            return [
                .doubtful(
                    "read replica",
                    "RENGA_DATABASE_READ is \(standby), and the primary answers in its place: \(error.message)"
                )
            ]
        }
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
