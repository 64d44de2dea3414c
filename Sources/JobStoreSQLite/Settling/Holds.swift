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

    static func moveDue(_ context: WriteContext, limit: Int) throws {
        _ = try context.connection.run(
            """
            UPDATE job
            SET ready = 1, held_until = NULL, held_hash = NULL
            WHERE id IN (
                SELECT id FROM job WHERE held_until IS NOT NULL AND held_until <= ?1 ORDER BY held_until LIMIT ?2
            )
            """, [.integer(context.now.timestamp.milliseconds), .integer(limit)])
    }

    /// Makes those that wait for this prompt ready, as its answer has come.
    ///
    /// `skipsCoalescing` if that answer is of no use to others: they wait for no further one, but call side by side.
    static func releaseAll(
        _ hash: [UInt8], route: Int64, skipsCoalescing: Bool = false, _ connection: Connection
    ) throws {
        let released = try release(
            hash, route: route, limit: releaseLimit, skipsCoalescing: skipsCoalescing, connection)
        guard released == releaseLimit else { return }
        _ = try connection.run(
            "INSERT OR REPLACE INTO pending_release (prompt_hash, route_id, skip_coalescing) VALUES (?1, ?2, ?3)",
            [.blob(hash), .integer(route), .bool(skipsCoalescing)])
    }

    /// Makes the first of those that wait for this prompt ready, as the call came to nothing: it inherits it.
    static func releaseFirst(_ hash: [UInt8], route: Int64, _ connection: Connection) throws {
        _ = try release(hash, route: route, limit: 1, connection)
    }

    /// The call comes to nothing until then: the first that waits for it looks again at that time, lest whoever holds
    /// the call is kept from repeating it (cancelled, or in a queue that was paused).
    static func hastenFirst(_ hash: [UInt8], route: Int64, to time: Timestamp, _ connection: Connection)
        throws
    {
        _ = try connection.run(
            """
            UPDATE job
            SET held_until = min(held_until, ?3)
            WHERE id = (
                SELECT job.id
                FROM job
                CROSS JOIN lane ON lane.id = job.lane_id
                WHERE job.held_hash = ?1 AND lane.route_id = ?2
                ORDER BY job.id
                LIMIT 1
            )
            """, [.blob(hash), .integer(route), .integer(time.milliseconds)])
    }

    /// Goes on with a release that was too large for its own transaction.
    static func continueReleases(_ context: WriteContext) throws {
        let connection = context.connection
        guard
            let (hash, route, skipsCoalescing) = try connection.queryOne(
                "SELECT prompt_hash, route_id, skip_coalescing FROM pending_release LIMIT 1", [],
                { row in (row.blob(0), row.int64(1), row.bool(2)) })
        else { return }
        let released = try release(
            hash, route: route, limit: releaseLimit, skipsCoalescing: skipsCoalescing, connection)
        guard released < releaseLimit else { return }
        _ = try connection.run(
            "DELETE FROM pending_release WHERE prompt_hash = ?1 AND route_id = ?2",
            [.blob(hash), .integer(route)])
    }

    private static func release(
        _ hash: [UInt8], route: Int64, limit: Int, skipsCoalescing: Bool = false, _ connection: Connection
    ) throws -> Int {
        // CROSS JOIN keeps the order: from the few that are held to their lanes.
        let held = try connection.query(
            """
            SELECT job.id
            FROM job
            CROSS JOIN lane ON lane.id = job.lane_id
            WHERE job.held_hash = ?1 AND lane.route_id = ?2
            ORDER BY job.id
            LIMIT ?3
            """, [.blob(hash), .integer(route), .integer(limit)]
        ) { row in row.int64(0) }
        for job in held {
            _ = try connection.run(
                """
                UPDATE job
                SET ready = 1, held_until = NULL, held_hash = NULL, skip_coalescing = max(skip_coalescing, ?2)
                WHERE id = ?1
                """, [.integer(job), .bool(skipsCoalescing)])
        }
        return held.count
    }
}
