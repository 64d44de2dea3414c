import Jobs
import SQLite
import StoreRules

/// One operation inside the writer's transaction: the connection, the time (of that part of it which runs), and what it
/// changed of the tallies.
///
/// Sums of money end at the largest number: one past it would be no integer any more, and refused, and nothing would settle.
///
/// Tallies are written once, at the end of the operation, inside its savepoint: an operation that is undone takes its
/// tallies with it.
final class WriteContext {
    let connection: Connection
    var now: Now
    let settings: StoreSettings
    let options: SQLiteOptions
    var random: any RandomNumberGenerator
    var tallies = Tallies()
    /// What is reported to `StoreSettings.onEvent` after the commit.
    private(set) var events: [StoredEvent] = []
    /// What is reported to `StoreSettings.onNotice` after the commit.
    private(set) var notices: [StateNotice] = []
    private var lastOrder: Int64?
    private var lastJob: Int64?
    private(set) var notedAnswers = 0
    /// Jobs that this operation made ready.
    var released = 0
    /// Whether jobs are held under a hash; nil before it was asked.
    var someoneWaits: Bool?
    /// Budget windows that this operation opened, by their budgets.
    var newWindows: [Int64: Int64] = [:]
    /// Provider batches that this operation began, by their tokens.
    var newBatches: [String: Int64] = [:]

    init(_ connection: Connection, now: Now, settings: StoreSettings, options: SQLiteOptions) {
        self.connection = connection
        self.now = now
        self.settings = settings
        self.options = options
        random = settings.randomness()
    }

    func happened(_ event: StoredEvent) {
        events.append(event)
    }

    /// Notes an answer that others may have.
    func note(answer: Int64, to hash: [UInt8]) throws {
        _ = try connection.run(
            "INSERT INTO answer_recent (prompt, answer_id) VALUES (substr(?1, 1, 8), ?2)",
            [.blob(hash), .integer(answer)])
        RecentAnswers.of(connection).wrote(connection.lastInsertRowID, answer, to: hash)
        notedAnswers += 1
    }

    func noticed(_ notice: StateNotice) {
        notices.append(notice)
    }

    /// A number for a new job or batch: its time, and one more than the last.
    func newJobID() throws -> Int64 {
        let last = try lastJob ?? connection.queryOne("SELECT max(id) FROM job") { row in row.int64(0) } ?? 0
        let id = max(now.timestamp.firstID, last + 1)
        lastJob = id
        return id
    }

    /// A place in the order of finishing, which grows with every commit.
    func nextFinishOrder() throws -> Int64 {
        let last =
            try lastOrder
            ?? connection.queryOne(
                """
                SELECT max(
                    coalesce((SELECT max(finish_order) FROM job WHERE finish_order IS NOT NULL), 0),
                    coalesce((SELECT place FROM finish_watermark), 0)
                )
                """
            ) { row in row.int64(0) } ?? 0
        let order = max(now.timestamp.firstID, last + 1)
        lastOrder = order
        return order
    }

    /// Notes that a place in the order of finishing is left, so that no other job gets it.
    func advanceFloor(place: Int64) throws {
        _ = try connection.run(
            """
            INSERT INTO finish_watermark (id, place)
            VALUES (1, ?1)
            ON CONFLICT DO UPDATE SET place = max(place, ?1)
            """, [.integer(place)])
    }

    /// After what this operation did so far was rolled back.
    func forgetTallies() {
        tallies = Tallies()
        events = []
        notices = []
        notedAnswers = 0
        someoneWaits = nil
        newWindows = [:]
        newBatches = [:]
    }
}
