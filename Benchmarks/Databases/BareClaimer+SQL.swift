import Postgres

extension Statement {
    // MARK: What is shared

    static let lockRoute = Statement(
        "bare-lock-route",
        """
        SELECT
            id, paused, gate, gate_until, gate_closed_at, gate_failures, gate_trips, ramp_from, running, succeeded, learned,
            answers, input_per_byte, high_output, mean_input, mean_output, mean_call, open_input, open_output, call_window,
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        FROM route
        WHERE id = $1::bigint
        FOR NO KEY UPDATE
        """, .bigint)
    static let buckets = Statement(
        "bare-buckets",
        "SELECT kind, per_minute, level, at, reserved FROM bucket WHERE route_id = $1::bigint", .bigint)
    static let lockQueue = Statement(
        "bare-lock-queue",
        """
        SELECT id, paused, concurrency, weight, running, pass FROM queue WHERE id = $1::bigint FOR NO KEY UPDATE
        """, .bigint)
    static let lockWindows = Statement(
        "bare-lock-windows",
        """
        SELECT id, settled, reserved, unconfirmed_cost
        FROM budget_window
        WHERE id = ANY ($1::bigint[])
        ORDER BY id
        FOR NO KEY UPDATE
        """, .bigints)
    static let changeRoute = Statement(
        "bare-change-route",
        """
        UPDATE route
        SET running = running + $2::bigint, succeeded = succeeded + $3::bigint, answers = answers + $3,
            open_input = open_input + $4::double precision, open_output = open_output + $4, mean_call = abs($4)
        WHERE id = $1::bigint
        """, .bigint, .bigint, .bigint, .double)
    static let changeBuckets = Statement(
        "bare-change-buckets",
        """
        UPDATE bucket
        SET level = level + $2::double precision, at = $3::bigint, reserved = reserved + 1
        WHERE route_id = $1::bigint
        """, .bigint, .double, .bigint)
    static let changeQueue = Statement(
        "bare-change-queue",
        "UPDATE queue SET running = running + $2::bigint, pass = pass + 1 WHERE id = $1::bigint", .bigint,
        .bigint)
    static let changeWindows = Statement(
        "bare-change-windows",
        """
        UPDATE budget_window
        SET reserved = reserved + $2::bigint, settled = settled + $3::bigint
        WHERE id = ANY ($1::bigint[])
        """, .bigints, .bigint, .bigint)

    // MARK: Claims

    static let heads = Statement(
        "bare-heads",
        """
        WITH head AS MATERIALIZED (
            SELECT
                job_id, prompt_hash, rank, attempt, attempts_counted, failures, crash_count, cache, max_tokens, request_bytes,
                worst_input_tokens, max_cost, deadline, batch_id, fallback, skip_coalescing, has_check
            FROM waiting
            WHERE held_until IS NULL AND lane_id = $1::bigint AND rank >= $4::bigint
            ORDER BY rank, job_id
            LIMIT $2::bigint
            FOR NO KEY UPDATE SKIP LOCKED
        )
        SELECT
            head.job_id, head.prompt_hash, head.rank, head.attempt, head.attempts_counted, head.failures, head.crash_count,
            head.cache, head.max_tokens, head.request_bytes, head.worst_input_tokens, head.max_cost, head.deadline,
            head.batch_id, head.fallback, head.skip_coalescing, head.has_check, answer.id,
            EXISTS (
                SELECT 1 FROM flight WHERE flight.prompt_hash = head.prompt_hash AND flight.home_route_id = $5::bigint
            )
        FROM head
        LEFT JOIN LATERAL (
            SELECT id
            FROM answer
            WHERE substr(answer.prompt_hash, 1, 8) = substr(head.prompt_hash, 1, 8) AND answer.route_id = $5
                AND answer.prompt_hash = head.prompt_hash AND answer.prompt_hash IS NOT NULL AND answer.expires_at > $3::bigint
            ORDER BY id DESC
            LIMIT 1
        ) AS answer ON true
        """, .bigint, .bigint, .bigint, .bigint, .bigint)
    static let deleteWaiting = Statement(
        "bare-delete-waiting", "DELETE FROM waiting WHERE job_id = ANY ($1::bigint[])", .bigints)
    static let insertRunning = Statement(
        "bare-insert-running",
        """
        INSERT INTO running (
            job_id, lane_id, attempt, attempts_counted, failures, crash_count, fallback, skip_coalescing, forgiven, started_at, cost
        )
        SELECT id, $2::bigint, 1, 0, 0, 0, 0, false, 0, $3::bigint, 0 FROM unnest($1::bigint[]) AS new (id)
        """, .bigints, .bigint, .bigint)
    static let insertFlight = Statement(
        "bare-insert-flight",
        """
        INSERT INTO flight (
            job_id, number, worker_id, route_id, home_route_id, queue_id, opened_at, lease_until, prompt_hash, reserved_input,
            reserved_output, reserved_cost, budget_windows, mark_requests, mark_input, mark_output, mark_succeeded
        )
        SELECT
            id, 1, $3::bigint, $4::bigint, $4, $5::bigint, $6::bigint, $6 + 30000, hash, 120, 64, $8::bigint, $7::bigint[], 1, 2, 3, 4
        FROM unnest($1::bigint[], $2::bytea[]) AS new (id, hash)
        """, .bigints, .byteas, .bigint, .bigint, .bigint, .bigint, .bigints, .bigint)
    static let requests = Statement(
        "bare-requests", "SELECT id, request FROM job WHERE id = ANY ($1::bigint[])", .bigints)

    // MARK: Settlements

    static let flights = Statement(
        "bare-flights",
        """
        SELECT
            flight.job_id, flight.number, flight.reserved_input, flight.reserved_output, flight.reserved_cost,
            flight.mark_requests, flight.mark_input, flight.mark_output, flight.mark_succeeded, flight.prompt_hash,
            flight.opened_at, running.lane_id, running.state, running.attempt, running.attempts_counted, running.failures,
            running.cost
        FROM unnest($1::bigint[]) AS wanted (id)
        JOIN flight ON flight.job_id = wanted.id AND flight.number = 1
        JOIN running ON running.job_id = wanted.id
        FOR NO KEY UPDATE OF flight
        """, .bigints)
    static let insertAnswers = Statement(
        "bare-insert-answers",
        """
        INSERT INTO answer (
            id, route_id, prompt_hash, job_id, model, input_tokens, output_tokens, cache_write_tokens, cache_write_1h_tokens,
            cache_read_tokens, cost, created_at, expires_at, uses, body
        )
        SELECT
            id, $4::bigint, hash, id, 'claude-haiku-4-5-20251001', 120, 4, 0, 0, 0, $6::bigint, $5::bigint, $5 + 2592000000, 1, body
        FROM unnest($1::bigint[], $2::bytea[], $3::bytea[]) AS new (id, hash, body)
        """, .bigints, .byteas, .byteas, .bigint, .bigint, .bigint)
    static let closeFlights = Statement(
        "bare-close-flights",
        """
        WITH gone AS (
            DELETE FROM flight
            WHERE job_id = ANY ($1::bigint[]) AND number = 1
            RETURNING
                job_id, number, worker_id, route_id, home_route_id, queue_id, opened_at, lease_until, prompt_hash, reserved_input,
                reserved_output, reserved_cost, budget_windows, mark_requests, mark_input, mark_output, mark_succeeded
        )
        INSERT INTO attempt (
            job_id, number, worker_id, route_id, home_route_id, queue_id, status, verdict, counted, opened_at, lease_until,
            closed_at, prompt_hash, reserved_input, reserved_output, reserved_cost, budget_windows, mark_requests, mark_input,
            mark_output, mark_succeeded, input_tokens, output_tokens, cost, call_milliseconds
        )
        SELECT
            job_id, number, worker_id, route_id, home_route_id, queue_id, 'settled', 'succeeded', true, opened_at, lease_until,
            $2::bigint, prompt_hash, reserved_input, reserved_output, reserved_cost, budget_windows, mark_requests, mark_input,
            mark_output, mark_succeeded, 120, 4, $3::bigint, 900
        FROM gone
        """, .bigints, .bigint, .bigint)
    static let deleteRunning = Statement(
        "bare-delete-running", "DELETE FROM running WHERE job_id = ANY ($1::bigint[])", .bigints)
    static let insertEnded = Statement(
        "bare-insert-ended",
        """
        INSERT INTO ended (
            job_id, lane_id, state, attempt, attempts_counted, failures, crash_count, fallback, skip_coalescing, forgiven,
            started_at, answer_id, cost, finished_at, finish_order
        )
        SELECT
            id, $2::bigint, 'succeeded', 1, 1, 0, 0, 0, false, 0, $3::bigint, id, $4::bigint, $3,
            (pg_current_xact_id()::text::bigint << 20) | place
        FROM unnest($1::bigint[]) WITH ORDINALITY AS new (id, place)
        """, .bigints, .bigint, .bigint, .bigint)
    static let addSpend = Statement(
        "bare-add-spend",
        """
        INSERT INTO spend_part AS spend (day, lane_id, calls, input_tokens, output_tokens, cost, writer)
        VALUES ($1::bigint, $2::bigint, $3::bigint, $3 * 120, $3 * 4, $3 * $4::bigint, pg_backend_pid() % 256)
        ON CONFLICT (day, lane_id, writer) DO UPDATE
        SET calls = spend.calls + excluded.calls, input_tokens = spend.input_tokens + excluded.input_tokens,
            output_tokens = spend.output_tokens + excluded.output_tokens, cost = spend.cost + excluded.cost
        """, .bigint, .bigint, .bigint, .bigint)
}
