import Jobs
import SQLite

/// Jobs held until a time or until the answer for their prompt hash, and their way back to ready.
enum Holds {
    /// Jobs released in one transaction, so that the write lock is held briefly.
    static let releaseLimit = 500

    static func hold(_ job: Int64, until: Timestamp, under hash: [UInt8]?, _ connection: Connection) throws {
        _ = try connection.run(
            "UPDATE job SET ready = 0, held_until = ?2, held_hash = ?3 WHERE id = ?1",
            [.integer(job), .integer(until.milliseconds), .blob(hash)])
    }

    static func moveDue(_ operation: Operation, limit: Int) throws {
        _ = try operation.connection.run(
            """
            UPDATE job
            SET ready = 1, held_until = NULL, held_hash = NULL
            WHERE id IN (
                SELECT id FROM job WHERE held_until IS NOT NULL AND held_until <= ?1 ORDER BY held_until LIMIT ?2
            )
            """, [.integer(operation.now.timestamp.milliseconds), .integer(limit)])
    }

    /// Makes those that wait for this prompt ready: all of them where an answer has come, else only the first, which
    /// inherits the call.
    static func release(_ hash: [UInt8], all: Bool, _ connection: Connection) throws {
        let limit = all ? releaseLimit : 1
        let released = try releaseSome(hash, limit: limit, connection)
        guard all, released == limit else { return }
        _ = try connection.run("INSERT OR IGNORE INTO release (prompt_hash) VALUES (?1)", [.blob(hash)])
    }

    /// Goes on with a release that was too large for its own transaction.
    static func continueReleases(_ operation: Operation) throws {
        let connection = operation.connection
        guard
            let hash = try connection.queryOne(
                "SELECT prompt_hash FROM release LIMIT 1", [], { row in row.blob(0) })
        else { return }
        guard try releaseSome(hash, limit: releaseLimit, connection) < releaseLimit else { return }
        _ = try connection.run("DELETE FROM release WHERE prompt_hash = ?1", [.blob(hash)])
    }

    private static func releaseSome(_ hash: [UInt8], limit: Int, _ connection: Connection) throws -> Int {
        try connection.run(
            """
            UPDATE job
            SET ready = 1, held_until = NULL, held_hash = NULL
            WHERE id IN (SELECT id FROM job WHERE held_hash = ?1 ORDER BY id LIMIT ?2)
            """, [.blob(hash), .integer(limit)])
    }
}
