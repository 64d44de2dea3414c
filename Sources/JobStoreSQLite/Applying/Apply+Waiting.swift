import Jobs
import SQLite
import StoreRules

// Jobs held until a time or until the answer for their prompt hash, and their way back to ready.
extension WriteContext {
    /// Jobs released in one transaction, so that the write lock is held briefly.
    private static let releaseLimit = 500

    func hold(_ job: Int64, until: Timestamp, under hash: [UInt8]?) throws {
        if hash != nil { someoneWaits = true }
        _ = try connection.run(
            "UPDATE job SET ready = 0, held_until = ?2, held_hash = ?3 WHERE id = ?1",
            [.integer(job), .integer(until.milliseconds), .blob(hash)])
    }

    func moveDue(limit: Int) throws {
        _ = try connection.run(
            """
            UPDATE job
            SET ready = 1, held_until = NULL, held_hash = NULL
            WHERE id IN (
                SELECT id FROM job WHERE held_until IS NOT NULL AND held_until <= ?1 ORDER BY held_until LIMIT ?2
            )
            """, [.integer(now.timestamp.milliseconds), .integer(limit)])
    }

    func release(_ release: Release) throws {
        guard try anyoneWaits() else { return }
        switch release.whom {
        case .all(let skipsCoalescing): try releaseAll(release, skipsCoalescing: skipsCoalescing)
        case .first: released += try self.release(release, limit: 1)
        case .firstAt(let time): try hasten(release, to: time)
        }
    }

    /// Whether any job is held under a hash; read once an operation, as mostly none is.
    private func anyoneWaits() throws -> Bool {
        if let someoneWaits { return someoneWaits }
        let found = try connection.exists("SELECT 1 FROM job WHERE held_hash IS NOT NULL LIMIT 1")
        someoneWaits = found
        return found
    }

    private func releaseAll(_ release: Release, skipsCoalescing: Bool) throws {
        let count = try self.release(release, limit: Self.releaseLimit, skipsCoalescing: skipsCoalescing)
        released += count
        guard count == Self.releaseLimit else { return }
        _ = try connection.run(
            "INSERT OR REPLACE INTO pending_release (prompt_hash, route_id, skip_coalescing) VALUES (?1, ?2, ?3)",
            [.blob(release.hash), .integer(release.route), .bool(skipsCoalescing)])
    }

    private func hasten(_ release: Release, to time: Timestamp) throws {
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
            """, [.blob(release.hash), .integer(release.route), .integer(time.milliseconds)])
    }

    /// Goes on with a release that was too large for its own transaction.
    func continueReleases() throws {
        guard
            let (pending, skipsCoalescing) = try connection.queryOne(
                "SELECT prompt_hash, route_id, skip_coalescing FROM pending_release LIMIT 1", [],
                { row in
                    (
                        Release(
                            .all(skippingCoalescing: row.bool(2)), row.blob(0), route: row.int64(1)),
                        row.bool(2)
                    )
                })
        else { return }
        let count = try release(pending, limit: Self.releaseLimit, skipsCoalescing: skipsCoalescing)
        guard count < Self.releaseLimit else { return }
        _ = try connection.run(
            "DELETE FROM pending_release WHERE prompt_hash = ?1 AND route_id = ?2",
            [.blob(pending.hash), .integer(pending.route)])
    }

    private func release(_ release: Release, limit: Int, skipsCoalescing: Bool = false) throws -> Int {
        // CROSS JOIN keeps the order: from the few that are held to their lanes.
        let held = try connection.query(
            """
            SELECT job.id
            FROM job
            CROSS JOIN lane ON lane.id = job.lane_id
            WHERE job.held_hash = ?1 AND lane.route_id = ?2
            ORDER BY job.id
            LIMIT ?3
            """, [.blob(release.hash), .integer(release.route), .integer(limit)]
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

    func prefix(_ hash: [UInt8], route: Int64, _ change: PrefixChange) throws {
        switch change {
        case .awaited(let key, let moment): try prefix(hash, route: route, until: moment, by: key)
        case .warm(let until): try prefix(hash, route: route, until: until, by: nil)
        case .gone:
            _ = try connection.run(
                "DELETE FROM prefix WHERE route_id = ?1 AND hash = ?2", [.integer(route), .blob(hash)])
        }
    }

    private func prefix(_ hash: [UInt8], route: Int64, until: Moment, by key: AttemptKey?) throws {
        _ = try connection.run(
            """
            INSERT INTO prefix (route_id, hash, boot, warm_until, warmup_job, warmup_attempt)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT DO UPDATE SET boot = ?3, warm_until = ?4, warmup_job = ?5, warmup_attempt = ?6
            """,
            [
                .integer(route), .blob(hash), .integer(until.epoch), .integer(until.milliseconds),
                .integer(key?.job.value), .integer(key?.number),
            ])
    }
}
