package import SQLite

/// What must be true of the rows, whatever happened: each query finds those for which it is not.
package struct Audit {
    let connection: Connection

    package init(connection: Connection) {
        self.connection = connection
    }

    /// Each violation as a line of text; `isPruned` where jobs were deleted, which batches and spending outlive.
    package func violations(isPruned: Bool = false) throws -> [String] {
        var found: [String] = []
        try connection.snapshot {
            for (name, query) in Self.always + (isPruned ? [] : Self.whileAllIsKept) {
                try connection.forEach(SQL(query)) { row in found.append("\(name): \(row.text(0))") }
            }
            try connection.forEach("PRAGMA foreign_key_check") { row in
                found.append("foreign key: \(row.text(0)) \(row.int64(1))")
            }
        }
        return found
    }

    private static let always = [
        (
            "a lane's tally is the count of its jobs",
            """
            SELECT format('lane %d %s: %d', lane_id, state, jobs) FROM (
                SELECT lane_id, state, jobs FROM lane_tally WHERE jobs <> 0
                EXCEPT SELECT lane_id, state, count(*) FROM job GROUP BY lane_id, state
            )
            UNION ALL
            SELECT format('lane %d %s has %d', lane_id, state, jobs) FROM (
                SELECT lane_id, state, count(*) AS jobs FROM job GROUP BY lane_id, state
                EXCEPT SELECT lane_id, state, jobs FROM lane_tally
            )
            """
        ),
        (
            "queue.running is the count of its open attempts",
            """
            SELECT format('%s: %d', name, running) FROM queue
            WHERE running <> (SELECT count(*) FROM attempt WHERE queue_id = queue.id AND status = 'open' AND provider_batch_id IS NULL)
            """
        ),
        (
            "route.running is the count of its open attempts",
            """
            SELECT format('%s: %d', model, running) FROM route
            WHERE running <> (
                SELECT count(*) FROM attempt WHERE route_id = route.id AND status = 'open' AND provider_batch_id IS NULL
            )
            """
        ),
        (
            "what a route has reserved is what its open attempts reserved",
            """
            SELECT format('%s: %g %g', model, open_input, open_output) FROM route
            WHERE abs(open_input - (
                    SELECT coalesce(sum(reserved_input), 0) FROM attempt WHERE route_id = route.id AND status = 'open'
                )) > 0.001
                OR abs(open_output - (
                    SELECT coalesce(sum(reserved_output), 0) FROM attempt WHERE route_id = route.id AND status = 'open'
                )) > 0.001
            """
        ),
        (
            "a job is forgiven twice what may have been paid for",
            "SELECT format('%d: %d', id, forgiven) FROM job WHERE forgiven > 2"
        ),
        (
            "jobs are held back after a long run of refusals only",
            """
            SELECT format('%d %d: %d', queue_id, route_id, refusals) FROM refusal_streak
            WHERE (held_since IS NOT NULL AND refusals < 21) OR (held_since IS NULL) <> (until_at IS NULL)
                OR (trips > 0) <> (held_since IS NOT NULL)
            """
        ),
        (
            "a key that is refused is some worker's, and tried again at a time",
            """
            SELECT id FROM credential
            WHERE (refused = 1 AND until_at IS NULL)
                OR NOT EXISTS (SELECT 1 FROM worker_service WHERE credential_id = credential.id)
            """
        ),
        (
            "an attempt of the backlog costs no more than was reserved for it, with what it may have cost",
            """
            SELECT format('job %d, attempt %d: %d and %d of %d', job_id, number, cost, unconfirmed_cost, reserved_cost)
            FROM attempt
            WHERE reserved_cost > 0 AND cost + unconfirmed_cost > reserved_cost
                AND NOT EXISTS (SELECT 1 FROM worker WHERE worker.id = attempt.worker_id AND worker.is_interactive = 1)
            """
        ),
        (
            "answer.uses is the count of jobs that point to it",
            """
            SELECT format('%d: %d, %d', id, uses, coalesce(jobs, 0)) FROM answer
            LEFT JOIN (
                SELECT answer_id, count(*) AS jobs FROM job WHERE answer_id IS NOT NULL GROUP BY answer_id
            ) AS used ON used.answer_id = answer.id
            WHERE uses <> coalesce(jobs, 0)
            """
        ),
        (
            "a job's answer exists",
            "SELECT id FROM job WHERE answer_id IS NOT NULL AND answer_id NOT IN (SELECT id FROM answer)"
        ),
        (
            "an answer for others can be found by its prompt",
            """
            SELECT id FROM answer
            WHERE prompt_hash IS NOT NULL
                AND NOT EXISTS (
                    SELECT 1 FROM answer_prompt WHERE prompt = substr(prompt_hash, 1, 8) AND answer_id = answer.id
                )
                AND NOT EXISTS (
                    SELECT 1 FROM answer_recent WHERE prompt = substr(prompt_hash, 1, 8) AND answer_id = answer.id
                )
            """
        ),
        (
            "the index of prompts names answers that exist",
            """
            SELECT answer_id FROM answer_prompt
            WHERE NOT EXISTS (SELECT 1 FROM answer WHERE id = answer_id AND substr(prompt_hash, 1, 8) = prompt)
            """
        ),
        (
            "no call is made whose answer was there",
            """
            SELECT format('%d/%d: %d', attempt.job_id, attempt.number, answer.id)
            FROM attempt
            JOIN job ON job.id = attempt.job_id
            JOIN answer ON answer.prompt_hash = attempt.prompt_hash AND answer.route_id = attempt.home_route_id
            WHERE job.cache = 'use' AND attempt.fallback = 0 AND answer.created_at < attempt.opened_at
                AND answer.expires_at > attempt.opened_at AND answer.job_id <> job.id
                AND NOT EXISTS (SELECT 1 FROM job_check WHERE job_check.job_id = job.id)
            """
        ),
        (
            "a running job is held by its newest attempt",
            """
            SELECT job.id FROM job
            LEFT JOIN attempt ON attempt.job_id = job.id AND attempt.number = job.attempt
            WHERE (job.state = 'running') AND coalesce(attempt.status, '') <> 'open'
            """
        ),
        (
            "a job that succeeded by its own call left none open",
            """
            SELECT job.id FROM job
            WHERE job.state = 'succeeded' AND cached = 0 AND EXISTS (
                SELECT 1 FROM attempt WHERE job_id = job.id AND number = job.attempt AND status = 'open'
            )
            """
        ),
        (
            "attempts are numbered without gaps",
            """
            SELECT id FROM job
            WHERE attempt <> (SELECT count(*) FROM attempt WHERE job_id = job.id)
                OR attempt <> (SELECT coalesce(max(number), 0) FROM attempt WHERE job_id = job.id)
            """
        ),
        (
            "a job's cost is what its attempts cost",
            """
            SELECT format('%d: %d', id, cost) FROM job
            WHERE cost <> (SELECT coalesce(sum(cost), 0) FROM attempt WHERE job_id = job.id)
            """
        ),
        (
            "one call flies for a prompt that may be shared",
            """
            SELECT hex(attempt.prompt_hash) FROM attempt JOIN job ON job.id = attempt.job_id
            WHERE attempt.status = 'open' AND job.cache = 'use' AND job.skip_coalescing = 0
                -- One that was revoked began as its job was then.
                AND job.state = 'running' AND attempt.number = job.attempt
            GROUP BY attempt.prompt_hash, attempt.home_route_id, attempt.provider_batch_id IS NULL
            HAVING attempt.prompt_hash IS NOT NULL AND count(*) > 1
            """
        ),
        (
            "whoever waits for a prompt has somebody to wait for",
            """
            SELECT held.id FROM job AS held JOIN lane ON lane.id = held.lane_id
            WHERE held.held_hash IS NOT NULL
                AND NOT EXISTS (
                    SELECT 1 FROM attempt
                    WHERE status = 'open' AND prompt_hash = held.held_hash AND home_route_id = lane.route_id
                )
                AND NOT EXISTS (
                    SELECT 1 FROM pending_release WHERE prompt_hash = held.held_hash AND route_id = lane.route_id
                )
                AND NOT EXISTS (
                    SELECT 1 FROM job AS next JOIN lane AS its ON its.id = next.lane_id
                    WHERE next.prompt_hash = held.held_hash AND its.route_id = lane.route_id
                        AND next.state = 'queued' AND next.held_hash IS NULL
                )
                AND NOT EXISTS (
                    SELECT 1 FROM prefix
                    JOIN attempt ON attempt.job_id = prefix.warmup_job AND attempt.number = prefix.warmup_attempt
                    WHERE prefix.hash = held.held_hash AND prefix.route_id = lane.route_id AND attempt.status = 'open'
                )
                AND NOT EXISTS (
                    SELECT 1 FROM job AS next JOIN lane AS its ON its.id = next.lane_id
                    WHERE next.prefix_hash = held.held_hash AND its.route_id = lane.route_id
                        AND next.state = 'queued' AND next.held_hash IS NULL
                )
            """
        ),
        (
            "what a budget's window reserves is what its open attempts reserve",
            """
            SELECT format('%d: %d', id, reserved) FROM budget_window
            WHERE reserved <> (
                SELECT coalesce(sum(reserved_cost), 0) FROM attempt
                WHERE status = 'open' AND budget_windows LIKE '%,' || budget_window.id || ',%'
            )
            """
        ),
        (
            "a budget's window never passes its limit",
            """
            SELECT format('%s: %d %d %d of %d', budget.name, settled, reserved, unconfirmed_cost, amount)
            FROM budget_window JOIN budget ON budget.id = budget_window.budget_id
            WHERE settled + reserved + unconfirmed_cost > amount + excess
            """
        ),
        (
            "a job in review is neither running nor at its end, and has the answer to decide of",
            """
            SELECT id FROM job
            WHERE state = 'review' AND (
                ready = 1 OR held_until IS NOT NULL OR finished_at IS NOT NULL OR finish_order IS NOT NULL
                OR answer_id IS NULL OR error IS NULL
                OR NOT EXISTS (SELECT 1 FROM job_check WHERE job_id = job.id AND passed = 0 AND review IS NULL)
                OR EXISTS (SELECT 1 FROM attempt WHERE job_id = job.id AND number = job.attempt AND status = 'open')
            )
            """
        ),
        (
            "a failed job has the type of its error, and no other has one",
            """
            SELECT format('%d: %s', id, error_type) FROM job
            WHERE error_type IS NOT iif(state = 'failed', json_extract(error, '$.type'), NULL)
            """
        ),
        (
            "a job that a person decided of is at its end",
            """
            SELECT job.id FROM job JOIN job_check ON job_check.job_id = job.id
            WHERE job_check.review IS NOT NULL AND (
                (job_check.review = 'reject' AND job.state <> 'failed')
                OR (job_check.review <> 'reject' AND job.state <> 'succeeded')
            )
            """
        ),
        (
            "a check has used no more steps than it has, and each but the last cost a call",
            """
            SELECT format('%d: %d', job.id, used) FROM job_check JOIN job ON job.id = job_check.job_id
            WHERE used > (
                SELECT count(*) FROM attempt WHERE attempt.job_id = job.id AND status <> 'open'
            )
            """
        ),
        (
            "what has ended has nothing out, and what is out has not ended",
            """
            SELECT format('%d %d: %d', job_id, number, provider_batch_id) FROM attempt
            WHERE provider_batch_id IS NOT NULL AND status = 'open'
                AND provider_batch_id NOT IN (SELECT id FROM provider_batch WHERE ended_at IS NULL)
            """
        ),
        (
            "no worker holds what is out with a provider_batch",
            "SELECT job_id FROM attempt WHERE (provider_batch_id IS NULL) <> (worker_id <> 0)"
        ),
        (
            "money leaves an attempt once",
            """
            SELECT format('%d %d: %d %d', job_id, number, cost, unconfirmed_cost) FROM attempt
            WHERE status <> 'open' AND unconfirmed_cost > max(0, reserved_cost - cost)
            """
        ),
        (
            "a lane's budget is those of its unfinished jobs' tags that have one",
            """
            SELECT format('%d: %s', job.id, lane.budget) FROM job JOIN lane ON lane.id = job.lane_id
            WHERE job.finish_order IS NULL AND NOT EXISTS (
                SELECT 1 FROM job_tag JOIN lane_move ON lane_move.tag = job_tag.tag WHERE job_tag.job_id = job.id
            ) AND lane.budget <> coalesce((
                SELECT group_concat(tag, char(10)) FROM (
                    SELECT tag FROM job_tag
                    WHERE job_id = job.id
                        AND tag IN (SELECT subject FROM budget WHERE active = 1 AND scope = 'tag')
                    ORDER BY tag
                )
            ), '')
            """
        ),
        (
            "a lane has an owner if it is an own one, and a batch only if it is none",
            """
            SELECT format('%d: %s %s %d', id, kind, variant, owner) FROM lane
            WHERE (kind = 'interactive') <> (owner IS NOT NULL) OR (kind = 'interactive' AND (batch_id IS NOT NULL OR sealed = 1))
                OR (kind = 'interactive') <> (variant LIKE 'interactive %') OR (kind = 'half_price') <> (variant LIKE '% half price')
                OR (batch_id IS NULL AND kind = 'common' AND variant <> '')
            """
        ),
        (
            "a batch's lanes are sealed before it is opened and after it was cancelled, and no others",
            """
            SELECT format('%d: %d', lane.id, sealed) FROM lane
            LEFT JOIN message_batch ON message_batch.batch_id = lane.batch_id
            WHERE (lane.batch_id IS NULL AND sealed = 1)
                OR (message_batch.batch_id IS NOT NULL AND sealed <> (open = 0 OR cancelled_at IS NOT NULL))
            """
        ),
        (
            "nothing of an upload leaves its lanes or is called before it is opened",
            """
            SELECT job.id FROM job
            JOIN message_batch ON message_batch.batch_id = job.batch_id
            JOIN lane ON lane.id = job.lane_id
            WHERE open = 0 AND (
                lane.batch_id IS NOT job.batch_id
                OR EXISTS (SELECT 1 FROM attempt WHERE attempt.job_id = job.id)
            )
            """
        ),
        (
            "nothing of a batch is called or sent after it was cancelled",
            """
            SELECT format('%d/%d', attempt.job_id, attempt.number) FROM message_batch
            JOIN job ON job.batch_id = message_batch.batch_id
            JOIN attempt ON attempt.job_id = job.id
            LEFT JOIN provider_batch ON provider_batch.id = attempt.provider_batch_id
            WHERE cancelled_at IS NOT NULL AND (
                attempt.opened_at > cancelled_at
                OR (provider_batch.sent_at > cancelled_at AND coalesce(attempt.closed_at, sent_at + 1) > sent_at)
            )
            """
        ),
        (
            "a job holds its place in one queue",
            """
            SELECT job.id FROM job JOIN lane ON lane.id = job.lane_id WHERE job.queue_id <> lane.queue_id
            """
        ),
    ]

    private static let whileAllIsKept = [
        (
            "what a budget's window spent is what its attempts cost, and may have cost",
            """
            SELECT format('%d: %d %d', id, settled, unconfirmed_cost) FROM budget_window
            WHERE settled - spent_before <> (
                    SELECT coalesce(sum(cost), 0) FROM attempt
                    WHERE budget_windows LIKE '%,' || budget_window.id || ',%'
                )
                OR unconfirmed_cost <> (
                    SELECT coalesce(sum(unconfirmed_cost), 0) FROM attempt
                    WHERE budget_windows LIKE '%,' || budget_window.id || ',%'
                )
            """
        ),
        (
            "a batch's receipt is that of its jobs",
            """
            SELECT format('%d: %d %d %d', id, calls, cache_hits, unconfirmed_cost) FROM batch
            WHERE cache_hits <> (SELECT coalesce(sum(cached), 0) FROM job WHERE batch_id = batch.id)
                OR (calls, unconfirmed_cost) <> (
                    SELECT coalesce(sum(NOT (verdict = 'handed_back' AND attempt.cost = 0 AND attempt.unconfirmed_cost + cleared = 0)), 0),
                        coalesce(sum(unconfirmed_cost), 0)
                    FROM job JOIN attempt ON attempt.job_id = job.id
                    WHERE job.batch_id = batch.id AND status <> 'open'
                )
            """
        ),
        (
            "what was spent on a tag is what its jobs' attempts cost",
            """
            SELECT format('%s: %d %d', tag, cost, maybe) FROM (
                SELECT tag, sum(cost) AS cost, sum(unconfirmed_cost) AS maybe, sum(cache_hits) AS cache_hits, sum(saved) AS saved
                FROM spend_tag GROUP BY tag
            ) AS s
            WHERE (cost, maybe) <> (
                    SELECT coalesce(sum(attempt.cost), 0), coalesce(sum(attempt.unconfirmed_cost), 0)
                    FROM job_tag JOIN attempt ON attempt.job_id = job_tag.job_id
                    WHERE job_tag.tag = s.tag
                )
                OR (cache_hits, saved) <> (
                    SELECT coalesce(sum(cached), 0), coalesce(sum(job.saved), 0)
                    FROM job_tag JOIN job ON job.id = job_tag.job_id
                    WHERE job_tag.tag = s.tag
                )
            """
        ),
        (
            "a batch's tally is the count of its jobs",
            """
            SELECT format('batch %d %s: %d', batch_id, state, jobs) FROM (
                SELECT batch_id, state, jobs FROM batch_tally WHERE jobs <> 0
                EXCEPT SELECT batch_id, state, count(*) FROM job GROUP BY batch_id, state
            )
            UNION ALL
            SELECT format('batch %d %s has %d', batch_id, state, jobs) FROM (
                SELECT batch_id, state, count(*) AS jobs FROM job WHERE batch_id IS NOT NULL
                GROUP BY batch_id, state
                EXCEPT SELECT batch_id, state, jobs FROM batch_tally
            )
            """
        ),
        (
            "a batch's money is its jobs'",
            """
            SELECT format('%d: %d, %d', id, cost, saved) FROM batch
            WHERE cost <> (SELECT coalesce(sum(cost), 0) FROM job WHERE batch_id = batch.id)
                OR saved <> (SELECT coalesce(sum(saved), 0) FROM job WHERE batch_id = batch.id)
            """
        ),
        (
            "what was spent is what the attempts cost",
            """
            SELECT format('%d %d %d, attempts %d %d %d', s.calls, s.cost, s.maybe, a.calls, a.cost, a.maybe)
            FROM (
                SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(cost), 0) AS cost,
                    coalesce(sum(unconfirmed_cost), 0) AS maybe, coalesce(sum(output_tokens), 0) AS output
                FROM spend
            ) AS s, (
                SELECT coalesce(sum(NOT (verdict = 'handed_back' AND cost = 0 AND unconfirmed_cost + cleared = 0)), 0) AS calls,
                    coalesce(sum(cost), 0) AS cost, coalesce(sum(unconfirmed_cost), 0) AS maybe,
                    coalesce(sum(output_tokens), 0) AS output
                FROM attempt
                WHERE status <> 'open'
            ) AS a
            WHERE s.calls <> a.calls OR s.cost <> a.cost OR s.maybe <> a.maybe OR s.output <> a.output
            """
        ),
        (
            "what went at half the price is what consigned attempts cost",
            """
            SELECT format('%d %d', s.cost, a.cost)
            FROM (SELECT coalesce(sum(batch_cost), 0) AS cost FROM spend) AS s, (
                SELECT coalesce(sum(cost), 0) AS cost FROM attempt WHERE provider_batch_id IS NOT NULL
            ) AS a
            WHERE s.cost <> a.cost
            """
        ),
        (
            "what was saved is what the hits saved",
            """
            SELECT format('%d %d, jobs %d %d', s.cache_hits, s.saved, j.cache_hits, j.saved)
            FROM (
                SELECT coalesce(sum(cache_hits), 0) AS cache_hits, coalesce(sum(saved), 0) AS saved FROM spend
            ) AS s, (
                SELECT coalesce(sum(cached), 0) AS cache_hits, coalesce(sum(saved), 0) AS saved FROM job
            ) AS j
            WHERE s.cache_hits <> j.cache_hits OR s.saved <> j.saved
            """
        ),
    ]
}
