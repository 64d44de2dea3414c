import JobStoreCopy
import JobStorePostgres
import Jobs
import Migrations
import Postgres
import SQLite
import StoreAudit
import StoreRules
import TestPostgres
import TestSupport

extension StoreUnderTest {
    static let postgres = StoreUnderTest(name: "PostgreSQL") { isBlank in
        try await onThread {
            try PostgresDatabase(isBlank: isBlank)
        }
    }
}

/// A database of the tests' own server; its rows are asked in a SQLite file that they are copied into.
struct PostgresDatabase: TestDatabase {
    private let name: String

    private static let template = "renga_schema"
    private static let isTemplateMade = Result {
        try TestPostgres.shared().makeTemplate(
            template, Migration.postgres.map { String(decoding: $0.sql, as: UTF8.self) })
    }

    init(isBlank: Bool = false) throws {
        let server = try TestPostgres.shared()
        if !isBlank { try Self.isTemplateMade.get() }
        name = isBlank ? try server.makeDatabase() : try server.makeDatabase(from: Self.template)
    }

    func connectionSettings() throws -> ConnectionSettings {
        try ConnectionSettings(url: TestPostgres.shared().url(database: name), from: .environment)
    }

    func open(_ terms: StoreTerms, clock: any Jobs.Clock) async throws -> any WholeStore {
        var settings = StoreSettings(
            cacheTTL: terms.cacheTTL, fallbacks: terms.fallbacks, onNotice: terms.onNotice)
        settings.interactiveReserveTokens = terms.interactiveReserveTokens
        settings.randomness = terms.randomness
        return try await PostgresJobStore(connectionSettings(), settings: settings, time: .given(clock))
    }

    func destroy() async {
        // One that stays is gone with the server.
        _ = try? await onThread {
            _ = try? TestPostgres.shared().drop(name)
        }
    }
}

extension PostgresDatabase {
    func violations(isPruned: Bool) async throws -> [String] {
        let session = try session()
        let found = try await session.run { connection in try PostgresAudit.violations(connection) }
        await session.close()
        do {
            return try await found + rows { try $0.violations(isPruned: isPruned) }
        } catch let error as CopyError {
            return found + ["\(error)"]
        }
    }

    func jobs() async throws -> [StoredJob] { try await rows { try $0.jobs() } }
    func changedRequests() async throws -> [StoredRequest] { try await rows { try $0.changedRequests() } }
    func featuresMet() async throws -> [(feature: String, times: Int)] {
        try await rows { try $0.featuresMet() }
    }
    func attemptsOutsideBudget(of tag: String, since: Timestamp) async throws -> [AttemptKey] {
        try await rows { try $0.attemptsOutsideBudget(of: tag, since: since) }
    }

    private func rows<T>(_ ask: (StoredRows) throws -> T) async throws -> T {
        let directory = try TemporaryDirectory()
        try await applyClosings()
        let session = try session()
        do {
            try await DatabaseCopy.copy(from: session, toFile: directory.database, isVerified: false)
        } catch {
            await session.close()
            throw error
        }
        await session.close()
        return try ask(StoredRows(Connection(path: directory.database, mode: .read)))
    }

    /// What settlements said is in the rows that they share before these are judged.
    ///
    /// At no time, as the database's own must not go on.
    private func applyClosings() async throws {
        let beginning = Now(
            timestamp: Timestamp(milliseconds: 0), moment: Moment(epoch: 0, milliseconds: 0))
        let store = try await PostgresJobStore(connectionSettings(), time: .given(HandClock(beginning)))
        do {
            try await store.applyClosings()
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    private func session() throws -> Session { try Session(connectionSettings(), random: SystemRandom()) }
}
