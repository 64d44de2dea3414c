import Jobs
import Postgres
import StoreRules

/// One operation inside a writing transaction: the way to the database, the time, and what is still to be written.
///
/// Whatever changes jobs changes their rows in memory (`rows`); they are written together before anything is read, and at the end.
final class WriteContext {
    let access: Access
    var now: Now
    let settings: StoreSettings
    let numbers: Numbers
    let permit: SchemaPermit
    var random: any RandomNumberGenerator
    var tallies = Tallies()
    var rows = JobRows()
    var attempts = AttemptChanges()
    var answers = AnswerChanges()
    var releases: [Release] = []
    /// Jobs that go for good.
    var deleted: [Int64] = []
    /// Lanes that this operation found or made, but for those of batches.
    var lanes: [LanePlace: Int64] = [:]
    /// The answers to what the operation asked with the transaction's first round trip; empty if it must ask now.
    var asked: [Rows] = []
    /// Jobs that this operation made ready.
    var released = 0
    /// Budget windows that this operation opened, by their budgets.
    var newWindows: [Int64: Int64] = [:]
    /// Provider batches that this operation began, by their tokens.
    var newBatches: [String: Int64] = [:]
    /// What is reported to `StoreSettings.onEvent` after the commit.
    private(set) var events: [StoredEvent] = []
    /// What is reported to `StoreSettings.onNotice` after the commit.
    private(set) var notices: [StateNotice] = []

    init(_ access: Access, now: Now, settings: StoreSettings, numbers: Numbers, permit: SchemaPermit) {
        self.permit = permit
        self.access = access
        self.now = now
        self.settings = settings
        self.numbers = numbers
        random = settings.randomness()
        access.beforeReading = { [unowned self] in try writeRows() }
    }

    /// Writes all that is in memory.
    func flush() throws {
        try writeRows()
        try writeTallies()
        access.beforeReading = {}
    }

    func happened(_ event: StoredEvent) { events.append(event) }
    func noticed(_ notice: StateNotice) { notices.append(notice) }

    /// Reads in the same transaction, after what was changed.
    func query(_ statement: Statement, _ values: [Value] = []) throws -> Rows {
        try access.query(statement, values)
    }

    func queryOne<T>(
        _ statement: Statement, _ values: [Value] = [], _ decode: (Row) throws -> T
    ) throws -> T? {
        try access.queryOne(statement, values, decode)
    }

    /// Changes rows of tables that are not kept in memory.
    func run(_ statement: Statement, _ values: [Value] = []) {
        access.queue(statement, values)
    }

    /// Changes rows of jobs by a statement of its own: what is in memory is written before, and read anew after it.
    func changeJobs(
        _ statement: Statement, _ values: [Value] = [], then: @escaping (Rows) throws -> Void = { _ in }
    ) throws {
        try writeRows()
        rows = JobRows()
        access.queue(statement, values, then: then)
    }
}
