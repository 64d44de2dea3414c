import Jobs
import Postgres
import Synchronization

/// The numbers of a process's writing transactions, each in the row that its transaction writes.
///
/// A commit whose answer is lost may stand. The row tells, once its lock is free: the server may still be at work on what its client has
/// lost sight of. What is found is committed too before it counts, so that a standby has what it tells of.
final class CommitMarks: Sendable {
    struct Mark: Sendable {
        let process: Int64
        let number: Int64

        func write(_ access: Access, at time: Timestamp) {
            access.queue(
                .writeMark, [.integer(process), .integer(number), .integer(time.milliseconds)])
        }

        /// Whether the transaction with this mark is committed.
        func stands(_ connection: Connection) throws -> Bool {
            try connection.transaction { transaction in
                let rows = try transaction.commit([Call(.touchMark, [.integer(process)])])
                return try rows.first?.first?.int64(0) == number
            }
        }
    }

    private let last = Mutex(Mark(process: newProcess, number: 0))

    private static var newProcess: Int64 { Int64.random(in: 1...Int64.max) }

    func next() -> Mark {
        last.withLock { last in
            last = Mark(process: last.process, number: last.number + 1)
            return last
        }
    }

    /// What is unknown keeps its row, and those that follow write another.
    func leaveRow() {
        last.withLock { $0 = Mark(process: Self.newProcess, number: 0) }
    }
}

extension Statement {
    fileprivate static let writeMark = Statement(
        "write-mark",
        """
        INSERT INTO commit_mark (process, number, at)
        VALUES ($1::bigint, $2::bigint, $3::bigint)
        ON CONFLICT (process) DO UPDATE SET number = excluded.number, at = excluded.at
        """, .bigint, .bigint, .bigint)
    fileprivate static let touchMark = Statement(
        "touch-mark",
        """
        INSERT INTO commit_mark (process, number, at)
        VALUES ($1::bigint, 0, 0)
        ON CONFLICT (process) DO UPDATE SET at = commit_mark.at
        RETURNING number
        """, .bigint)
}
