import Foundation
import Jobs
import TestSupport
import Testing

/// A store that the suites run over: every test is a test of each.
struct StoreUnderTest: Sendable, CustomTestStringConvertible {
    let name: String
    /// Whether leases and limits go by the boot clock of the one machine, and days by a calendar that its processes agree on.
    var isOfOneMachine = false
    /// An empty database for one test, or one that does not know its schema yet.
    let makeDatabase: @Sendable (_ isBlank: Bool) async throws -> any TestDatabase

    /// `RENGA_STORE=PostgreSQL` asks for one of them.
    static let all = [StoreUnderTest.sqlite, .postgres].filter { store in
        ProcessInfo.processInfo.environment["RENGA_STORE"].map { $0 == store.name } ?? true
    }

    static let ofOneMachine = all.filter(\.isOfOneMachine)

    var testDescription: String { name }

    /// Lends an empty database; a blank one has no schema, where that takes time to make.
    func withDatabase(
        isBlank: Bool = false, _ body: (any TestDatabase) async throws -> Void
    ) async throws {
        let database = try await makeDatabase(isBlank)
        do {
            try await body(database)
        } catch {
            await database.destroy()
            throw error
        }
        await database.destroy()
    }
}

/// What a process brings when it opens a store.
struct StoreTerms: Sendable {
    var cacheTTL: Milliseconds = Sample.cacheTTL
    var fallbacks = FallbackChains()
    /// What an interactive call reserves of its output limit in budgets; nil for all of it.
    var interactiveReserveTokens: Int?
    var randomness: @Sendable () -> any RandomNumberGenerator = { SystemRandom() }
    var onNotice: @Sendable (StateNotice) -> Void = { _ in }
}

/// One database of a store, gone with its test.
protocol TestDatabase: Sendable {
    /// Opens it as a process does: the first one, one that comes after a close, or one more beside those that have it open.
    ///
    /// Processes that share a clock are on one machine.
    func open(_ terms: StoreTerms, clock: any Jobs.Clock) async throws -> any WholeStore

    /// What is wrong with its rows, a line each; `isPruned` if jobs were deleted, which batches and spending outlive.
    func violations(isPruned: Bool) async throws -> [String]

    /// All jobs in the order of their ids.
    func jobs() async throws -> [StoredJob]

    /// What queued jobs will send, if a check has changed it.
    func changedRequests() async throws -> [StoredRequest]

    /// Attempts that were opened since then for jobs of a tag, and are in no window of its budget, if it has one.
    func attemptsOutsideBudget(of tag: String, since: Timestamp) async throws -> [AttemptKey]

    /// How often each feature was met: a schedule that never meets one proves nothing of it.
    func featuresMet() async throws -> [(feature: String, times: Int)]

    /// No store is open on it any more.
    func destroy() async
}

/// What a filter may ask of a job.
struct StoredJob {
    var id: JobID
    var state: JobState
    var queue: String
    var customID: String?
    var batch: BatchID?
    var model: String
    var tags: [String]
    var errorType: String?
}

/// A request that will be sent, and what its job's row says of it.
struct StoredRequest {
    var job: JobID
    var request: [UInt8]
    var sample: Int
    var promptHash: [UInt8]
    var bytes: Int
    var model: String
}
