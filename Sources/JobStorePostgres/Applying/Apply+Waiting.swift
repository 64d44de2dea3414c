import Jobs
import Postgres
import StoreRules

// Jobs held until a time or until the answer for their prompt hash, and their way back to ready.
extension WriteContext {
    /// Jobs released in one transaction.
    private static let releaseLimit = 500

    func moveDue(limit: Int) throws {
        try changeJobs(.moveDue, [.integer(now.timestamp.milliseconds), .integer(limit)])
    }

    /// Written with the jobs' rows, after them.
    func release(_ release: Release) { releases.append(release) }

    /// What does not fit is gone on with by claims.
    func writeReleases() {
        guard !releases.isEmpty else { return }
        for skips in [false, true] {
            let group = releases.filter { $0.whom == .all(skippingCoalescing: skips) }
            guard !group.isEmpty else { continue }
            let values = Self.values(group, limit: Self.releaseLimit) + [.bool(skips)]
            access.queue(.release, values) { [self] rows in released += rows.count }
            run(.notePending, Self.values(group, limit: Self.releaseLimit) + [.bool(skips)])
        }
        let firsts = releases.filter { $0.whom == .first }
        if !firsts.isEmpty {
            access.queue(.release, Self.values(firsts, limit: 1) + [.bool(false)]) { [self] rows in
                released += rows.count
            }
        }
        for release in releases {
            guard case .firstAt(let time) = release.whom else { continue }
            run(
                .hasten, [.bytes(release.hash), .integer(release.route), .integer(time.milliseconds)])
        }
        releases = []
        rows.forgetHeld()
    }

    /// Goes on with releases that were too large for their own transaction.
    func continueReleases() throws {
        try changeJobs(.continueRelease, [.integer(Self.releaseLimit)]) { [self] rows in
            released += rows.count
        }
        run(.forgetPending)
    }

    private static func values(_ releases: [Release], limit: Int) -> [Value] {
        [
            .byteStrings(releases.map(\.hash)), .integers(releases.map { $0.route }), .integer(limit),
        ]
    }

    func prefix(_ hash: [UInt8], route: Int64, _ change: PrefixChange) {
        switch change {
        case .awaited(let key, let moment): prefix(hash, route: route, until: moment, by: key)
        case .warm(let until): prefix(hash, route: route, until: until, by: nil)
        case .gone: run(.deletePrefix, [.integer(route), .bytes(hash)])
        }
    }

    private func prefix(_ hash: [UInt8], route: Int64, until: Moment, by key: AttemptKey?) {
        run(
            .setPrefix,
            [
                .integer(route), .bytes(hash), .integer(until.milliseconds), .integer(key?.job.value),
                .integer(key?.number),
            ])
    }
}

extension Statement {
    /// Jobs held under a hash on a route, found by the hash.
    ///
    /// Not a join with `lane`: that may begin with the route's lanes, and reads all their jobs.
    private static func held(under hash: String, on route: String) -> String {
        """
        waiting.held_hash = \(hash) AND (SELECT lane.route_id FROM lane WHERE lane.id = waiting.lane_id) = \(route)
        """
    }

    fileprivate static let moveDue = Statement(
        "move-due",
        """
        UPDATE waiting
        SET held_until = NULL, held_hash = NULL
        WHERE ctid = ANY (ARRAY(
            SELECT ctid
            FROM waiting
            WHERE held_until IS NOT NULL AND held_until <= $1::bigint
            ORDER BY held_until
            LIMIT $2::bigint
            FOR UPDATE SKIP LOCKED
        ))
        """, .bigint, .bigint)

    fileprivate static let release = Statement(
        "release",
        assembled: """
            UPDATE waiting
            SET held_until = NULL, held_hash = NULL, skip_coalescing = skip_coalescing OR $4::boolean
            WHERE ctid = ANY (ARRAY(
                SELECT held.place
                FROM unnest($1::bytea[], $2::bigint[]) AS gone (hash, route_id)
                CROSS JOIN LATERAL (
                    SELECT waiting.ctid AS place
                    FROM waiting
                    WHERE \(held(under: "gone.hash", on: "gone.route_id"))
                    ORDER BY waiting.job_id
                    LIMIT $3::bigint
                ) AS held
            ))
            RETURNING job_id
            """, [.byteas, .bigints, .bigint, .bool], isKept: true)

    fileprivate static let hasten = Statement(
        "hasten",
        assembled: """
            UPDATE waiting
            SET held_until = least(held_until, $3::bigint)
            WHERE ctid = ANY (ARRAY(
                SELECT waiting.ctid
                FROM waiting
                WHERE \(held(under: "$1::bytea", on: "$2::bigint"))
                ORDER BY waiting.job_id
                LIMIT 1
            ))
            """, [.bytea, .bigint, .bigint], isKept: true)

    /// Only if somebody is left.
    fileprivate static let notePending = Statement(
        "note-pending-release",
        assembled: """
            INSERT INTO pending_release (prompt_hash, route_id, skip_coalescing)
            SELECT DISTINCT gone.hash, gone.route_id, $4::boolean
            FROM unnest($1::bytea[], $2::bigint[]) AS gone (hash, route_id)
            WHERE $3::bigint > 0 AND EXISTS (
                SELECT 1 FROM waiting WHERE \(held(under: "gone.hash", on: "gone.route_id"))
            )
            ON CONFLICT (prompt_hash, route_id) DO UPDATE SET skip_coalescing = excluded.skip_coalescing
            """, [.byteas, .bigints, .bigint, .bool], isKept: true)

    fileprivate static let continueRelease = Statement(
        "continue-release",
        assembled: """
            WITH pending AS MATERIALIZED (
                SELECT prompt_hash, route_id, skip_coalescing FROM pending_release ORDER BY prompt_hash, route_id LIMIT 1
            )
            UPDATE waiting
            SET held_until = NULL, held_hash = NULL,
                skip_coalescing = waiting.skip_coalescing OR (SELECT skip_coalescing FROM pending)
            WHERE waiting.ctid = ANY (ARRAY(
                SELECT held.place
                FROM pending
                CROSS JOIN LATERAL (
                    SELECT waiting.ctid AS place
                    FROM waiting
                    WHERE \(held(under: "pending.prompt_hash", on: "pending.route_id"))
                    ORDER BY waiting.job_id
                    LIMIT $1::bigint
                ) AS held
            ))
            RETURNING job_id
            """, [.bigint], isKept: true)

    fileprivate static let forgetPending = Statement(
        "forget-pending-release",
        assembled: """
            DELETE FROM pending_release
            WHERE NOT EXISTS (
                SELECT 1
                FROM waiting
                WHERE \(held(under: "pending_release.prompt_hash", on: "pending_release.route_id"))
            )
            """, isKept: true)

    fileprivate static let deletePrefix = Statement(
        "delete-prefix", "DELETE FROM prefix WHERE route_id = $1::bigint AND hash = $2::bytea", .bigint,
        .bytea)

    fileprivate static let setPrefix = Statement(
        "set-prefix",
        """
        INSERT INTO prefix (route_id, hash, warm_until, warmup_job, warmup_attempt)
        VALUES ($1::bigint, $2::bytea, $3::bigint, $4::bigint, $5::bigint)
        ON CONFLICT (route_id, hash) DO UPDATE
        SET warm_until = excluded.warm_until, warmup_job = excluded.warmup_job, warmup_attempt = excluded.warmup_attempt
        """, .bigint, .bytea, .bigint, .bigint, .bigint)
}
