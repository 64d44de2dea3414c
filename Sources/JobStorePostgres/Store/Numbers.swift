import Jobs
import Postgres
import StoreRules
import Synchronization

/// Numbers for new rows, fetched from the database's sequences some at a time and used in their order; what is not used is lost.
final class Numbers: Sendable {
    enum Kind: Int, CaseIterable {
        case job, answer
    }

    private let stock = Mutex<[[Int64]]>(Kind.allCases.map { _ in [] })

    private static let least = 512
    private static let job = Statement(
        "numbers-job", "SELECT nextval('job_low') FROM generate_series(1, $1::bigint)", .bigint)
    private static let answer = Statement(
        "numbers-answer",
        "SELECT nextval(pg_get_serial_sequence('answer', 'id')) FROM generate_series(1, $1::bigint)", .bigint)

    func take(_ count: Int, _ kind: Kind, _ access: Access) throws -> [Int64] {
        if let numbers = takeStored(count, kind) { return numbers }
        let statement = kind == .job ? Self.job : Self.answer
        let fetched = try access.query(statement, [.integer(max(count, Self.least))]).map { row in
            try row.int64(0)
        }
        stock.withLock { $0[kind.rawValue] += fetched }
        return takeStored(count, kind) ?? Array(fetched.prefix(count))
    }

    /// What is in stock may be given out again: a sequence that was asked in a transaction without a commit may be set back by a crash.
    func forget() {
        stock.withLock { stock in
            for kind in stock.indices { stock[kind] = [] }
        }
    }

    private func takeStored(_ count: Int, _ kind: Kind) -> [Int64]? {
        stock.withLock { stock in
            guard stock[kind.rawValue].count >= count else { return nil }
            defer { stock[kind.rawValue].removeFirst(count) }
            return Array(stock[kind.rawValue].prefix(count))
        }
    }
}

extension WriteContext {
    /// Numbers for new jobs or batches, ascending: their time, and what the database's sequence adds.
    func newJobIDs(_ count: Int) throws -> [Int64] {
        guard count > 0 else { return [] }
        let time = now.timestamp.firstID
        return try numbers.take(count, .job, access).map { time + $0 }.sorted()
    }

    func newAnswerID() throws -> Int64 {
        guard let id = try numbers.take(1, .answer, access).first else {
            throw JobStoreError(.internal, "the database gave no number for an answer")
        }
        return id
    }
}
