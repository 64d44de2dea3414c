import Postgres

/// A transaction's way to the database: what is queued goes out with the next round trip, before what is asked in it.
final class Access {
    private let transaction: Transaction
    private var queued: [(call: Call, then: (Rows) throws -> Void)] = []
    private var last: [Call] = []
    /// Queues what is still in memory, so that what is read next sees it.
    var beforeReading: () throws -> Void = {}
    /// Whether anything is to stand after it.
    private(set) var writes = false
    /// How many jobs have ended in this transaction: the low part of their places in the order of finishing.
    var endedJobs: Int64 = 0

    init(_ transaction: Transaction) {
        self.transaction = transaction
    }

    /// One round trip.
    func query(_ statement: Statement, _ values: [Value] = []) throws -> Rows {
        try query([Call(statement, values)])[0]
    }

    /// Several statements in one round trip.
    func query(_ calls: [Call]) throws -> [Rows] {
        try beforeReading()
        let queued = takeQueued()
        let rows = try transaction.run(queued.map(\.call) + calls)
        for (entry, rows) in zip(queued, rows) { try entry.then(rows) }
        return Array(rows[queued.count...])
    }

    /// The first row decoded; nil if there is none.
    func queryOne<T>(
        _ statement: Statement, _ values: [Value] = [], _ decode: (Row) throws -> T
    ) throws -> T? {
        try query(statement, values).first.map(decode)
    }

    /// To be written with the next round trip; `then` gets what it returned.
    func queue(_ statement: Statement, _ values: [Value], then: @escaping (Rows) throws -> Void = { _ in }) {
        writes = true
        queued.append((Call(statement, values), then))
    }

    /// To be asked with the next round trip, behind what is queued.
    func queueQuestion(_ call: Call, then: @escaping (Rows) throws -> Void) { queued.append((call, then)) }

    /// To be written with the commit, if anything else is.
    func queueLast(_ statement: Statement, _ values: [Value]) { last.append(Call(statement, values)) }

    /// Writes what is queued, and commits.
    func commit() throws {
        try beforeReading()
        if writes { queued += last.map { ($0, { _ in }) } }
        let queued = takeQueued()
        let rows = try transaction.commit(queued.map(\.call))
        for (entry, rows) in zip(queued, rows) { try entry.then(rows) }
    }

    private func takeQueued() -> [(call: Call, then: (Rows) throws -> Void)] {
        defer { queued = [] }
        return queued
    }
}
