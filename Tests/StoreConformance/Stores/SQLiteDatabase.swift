import JobStoreSQLite
import Jobs
import SQLite
import StoreRules
import TestSupport

extension StoreUnderTest {
    static let sqlite = StoreUnderTest(name: "SQLite", isOfOneMachine: true) { _ in
        SQLiteDatabase(try TemporaryDirectory())
    }
}

/// A file in a folder of its own, which goes when nobody holds it any more.
struct SQLiteDatabase: TestDatabase {
    let directory: TemporaryDirectory

    init(_ directory: TemporaryDirectory) {
        self.directory = directory
    }

    func open(_ terms: StoreTerms, clock: any Jobs.Clock) async throws -> any WholeStore {
        try await openFile(terms, clock: clock)
    }

    func openFile(
        _ terms: StoreTerms = StoreTerms(), clock: any Jobs.Clock = HandClock(), patience: Milliseconds = 0
    ) async throws -> SQLiteJobStore {
        var settings = StoreSettings(
            cacheTTL: terms.cacheTTL, fallbacks: terms.fallbacks, onNotice: terms.onNotice)
        settings.interactiveReserveTokens = terms.interactiveReserveTokens
        settings.randomness = terms.randomness
        // Few, so that answers are on their way into the index all the time.
        let options = SQLiteOptions(recentAnswers: 6, calendarPatience: patience)
        let (path, stated) = (directory.database, settings)
        return try await onThread {
            try await SQLiteJobStore(path: path, settings: stated, options: options, clock: clock)
        }
    }

    func connection() throws -> Connection {
        try Connection(path: directory.database, mode: .read)
    }

    func destroy() async {}
}

extension SQLiteDatabase {
    private func rows() throws -> StoredRows { try StoredRows(connection()) }

    func violations(isPruned: Bool = false) throws -> [String] { try rows().violations(isPruned: isPruned) }
    func jobs() throws -> [StoredJob] { try rows().jobs() }
    func changedRequests() throws -> [StoredRequest] { try rows().changedRequests() }
    func featuresMet() throws -> [(feature: String, times: Int)] { try rows().featuresMet() }
    func attemptsOutsideBudget(of tag: String, since: Timestamp) throws -> [AttemptKey] {
        try rows().attemptsOutsideBudget(of: tag, since: since)
    }
}
