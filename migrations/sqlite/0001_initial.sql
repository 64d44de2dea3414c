-- Calendar times are integer milliseconds UTC. Moments are milliseconds of the boot clock, beside a shortened boot id.
-- Money is integer nano-dollars. Only what a claim touches is in `job`; bodies live in tables of their own.
-- Lists in CHECKs and in indexes are spelled out with OR: an IN of more than two SQLite builds as a table, at every write.

CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    paused INTEGER NOT NULL DEFAULT 0,
    pause_reason TEXT,
    concurrency INTEGER,
    weight INTEGER NOT NULL DEFAULT 100,
    running INTEGER NOT NULL DEFAULT 0,
    refused_signature TEXT,
    refused_streak INTEGER NOT NULL DEFAULT 0,
    turn REAL NOT NULL DEFAULT 0,
    check_rules BLOB,
    check_routes TEXT,
    CONSTRAINT queue_paused_is_a_flag CHECK (paused IN (0, 1)),
    CONSTRAINT queue_concurrency_is_positive CHECK (concurrency IS NULL OR concurrency >= 1),
    CONSTRAINT queue_weight_is_positive CHECK (weight >= 1),
    CONSTRAINT queue_running_is_no_debt CHECK (running >= 0)
) STRICT;

-- The turn of the queue that was served last: one that comes back joins there.
CREATE TABLE turn_line (
    id INTEGER PRIMARY KEY,
    turn REAL NOT NULL,
    CONSTRAINT turn_line_is_one_row CHECK (id = 1)
) STRICT;

-- A route's identity, its gate, and what was learned of it.
CREATE TABLE route (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    credential TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    gate TEXT NOT NULL DEFAULT 'open',
    gate_boot INTEGER,
    gate_until INTEGER,
    gate_until_date INTEGER,
    gate_closed_boot INTEGER,
    gate_closed_at INTEGER,
    gate_failures INTEGER NOT NULL DEFAULT 0,
    gate_trips INTEGER NOT NULL DEFAULT 0,
    ramp_boot INTEGER,
    ramp_from INTEGER,
    running INTEGER NOT NULL DEFAULT 0,
    succeeded INTEGER NOT NULL DEFAULT 0,
    learned INTEGER NOT NULL DEFAULT 0,
    answers INTEGER NOT NULL DEFAULT 0,
    input_per_byte REAL NOT NULL DEFAULT 0.3,
    high_output REAL NOT NULL DEFAULT 0,
    mean_input REAL NOT NULL DEFAULT 0,
    mean_output REAL NOT NULL DEFAULT 0,
    mean_call REAL NOT NULL DEFAULT 0,
    open_input REAL NOT NULL DEFAULT 0,
    open_output REAL NOT NULL DEFAULT 0,
    window REAL NOT NULL DEFAULT 5,
    window_threshold REAL,
    window_cut_boot INTEGER,
    window_cut_at INTEGER,
    burst INTEGER NOT NULL DEFAULT 60000,
    reserves_max_tokens INTEGER NOT NULL DEFAULT 0,
    concurrency INTEGER,
    CONSTRAINT route_is_known_once UNIQUE (provider, endpoint, model, credential, simulated),
    CONSTRAINT route_gate_is_known
        CHECK (
            gate = 'open' OR gate = 'rate_limited' OR gate = 'broken' OR gate = 'credential' OR gate = 'forbidden'
            OR gate = 'spend_cap'
        ),
    CONSTRAINT route_running_is_no_debt CHECK (running >= 0),
    CONSTRAINT route_concurrency_is_positive CHECK (concurrency IS NULL OR concurrency >= 1)
) STRICT;

-- One limit per minute of a route. `reserved` only grows: an attempt notes it at its claim, and so knows at its
-- settlement how much was reserved since.
CREATE TABLE bucket (
    route_id INTEGER NOT NULL REFERENCES route (id),
    kind TEXT NOT NULL,
    stated INTEGER,
    per_minute INTEGER NOT NULL,
    level REAL NOT NULL,
    boot INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reserved REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (route_id, kind),
    CONSTRAINT bucket_kind_is_known CHECK (kind = 'requests' OR kind = 'input_tokens' OR kind = 'output_tokens'),
    CONSTRAINT bucket_limit_is_positive CHECK (per_minute > 0)
) STRICT, WITHOUT ROWID;

-- How long answers took, by minute: times in classes, eight to each doubling. Old minutes are deleted.
CREATE TABLE latency (
    minute INTEGER NOT NULL,
    route_id INTEGER NOT NULL,
    part TEXT NOT NULL,
    class INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    PRIMARY KEY (minute, route_id, part, class)
) STRICT, WITHOUT ROWID;

-- Queue × route × tenant × budget: all jobs of a lane meet the same gates. `budget` has those of its jobs' tags that have
-- a budget of their own, sorted, a line each.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL REFERENCES queue (id),
    route_id INTEGER NOT NULL REFERENCES route (id),
    tenant TEXT NOT NULL DEFAULT '',
    budget TEXT NOT NULL DEFAULT '',
    CONSTRAINT lane_is_interned_once UNIQUE (queue_id, route_id, tenant, budget)
) STRICT;

CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    metadata BLOB,
    created_at INTEGER NOT NULL,
    next_ordinal INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0,
    hits INTEGER NOT NULL DEFAULT 0,
    maybe_paid INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    lane_id INTEGER NOT NULL REFERENCES lane (id),
    queue_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    ready INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    held_until INTEGER,
    held_hash BLOB,
    attempt INTEGER NOT NULL DEFAULT 0,
    attempts_counted INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL,
    cache TEXT NOT NULL,
    max_tokens INTEGER NOT NULL,
    request_bytes INTEGER NOT NULL,
    worst_input_tokens INTEGER,
    cache_writes INTEGER NOT NULL,
    max_cost INTEGER,
    prompt_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    finish_order INTEGER,
    deadline INTEGER,
    key TEXT,
    batch_id INTEGER REFERENCES batch (id),
    batch_ordinal INTEGER,
    answer_id INTEGER,
    cached INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    fallback INTEGER NOT NULL DEFAULT 0,
    fallback_cause TEXT,
    -- Waits for no identical call any more: one has shown that its answers cannot be shared.
    impatient INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    CONSTRAINT job_state_is_known
        CHECK (
            state = 'queued' OR state = 'running' OR state = 'succeeded' OR state = 'failed' OR state = 'cancelled'
            OR state = 'review'
        ),
    CONSTRAINT job_ready_means_queued CHECK (ready = 0 OR (ready = 1 AND state = 'queued')),
    CONSTRAINT job_held_means_queued_and_not_ready
        CHECK ((held_until IS NOT NULL) = (state = 'queued' AND ready = 0)),
    CONSTRAINT job_held_hash_means_held CHECK (held_hash IS NULL OR held_until IS NOT NULL),
    CONSTRAINT job_finished_means_terminal
        CHECK ((finish_order IS NOT NULL) = (state = 'succeeded' OR state = 'failed' OR state = 'cancelled')),
    CONSTRAINT job_succeeded_has_an_answer CHECK (state <> 'succeeded' OR answer_id IS NOT NULL),
    CONSTRAINT job_failed_has_an_error CHECK (state <> 'failed' OR error IS NOT NULL),
    CONSTRAINT job_attempts_are_ordered CHECK (attempts_counted <= attempt)
) STRICT;

-- The claim's draw: the ready jobs of one lane in rank order. Holds nothing that cannot be claimed next.
CREATE INDEX job_ready ON job (lane_id, rank, id) WHERE ready = 1;
-- The claim's look for jobs that outlived several workers and must run with no neighbours.
CREATE INDEX job_alone ON job (lane_id, rank, id) WHERE ready = 1 AND deaths >= 3;
-- The claim's first step: held jobs that are due.
CREATE INDEX job_held ON job (held_until) WHERE held_until IS NOT NULL;
-- Releasing whoever waits for an answer to one prompt.
CREATE INDEX job_held_hash ON job (held_hash, id) WHERE held_hash IS NOT NULL;
-- The reaper's look for jobs that can no longer be in time.
CREATE INDEX job_deadline ON job (deadline) WHERE deadline IS NOT NULL AND finish_order IS NULL;
-- The caller's own name for a job.
CREATE UNIQUE INDEX job_key ON job (queue_id, key) WHERE key IS NOT NULL;
-- Results in input order, and a batch's list.
CREATE UNIQUE INDEX job_batch ON job (batch_id, batch_ordinal) WHERE batch_id IS NOT NULL;
-- Results in the order of finishing, and pruning.
CREATE UNIQUE INDEX job_finished ON job (finish_order) WHERE finish_order IS NOT NULL;
-- Lists of what went wrong.
CREATE INDEX job_unhappy ON job (state, id) WHERE state = 'failed' OR state = 'cancelled' OR state = 'review';

CREATE TABLE job_body (
    job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    request BLOB NOT NULL,
    metadata BLOB,
    tags TEXT,
    fingerprint BLOB NOT NULL,
    sample INTEGER NOT NULL DEFAULT 0,
    requested_model TEXT,
    idempotency_key TEXT,
    idempotency_ordinal INTEGER
) STRICT;

-- The repetition of an upload finds its jobs.
CREATE UNIQUE INDEX job_body_idempotency
    ON job_body (idempotency_key, idempotency_ordinal) WHERE idempotency_key IS NOT NULL;

-- What a job's answer must be, and how far its failures have come. `routes` are those of its escalations, in order;
-- `request` is what is sent instead of the job's own after a failure; `first_lane_id` is where a retry begins again.
CREATE TABLE job_check (
    job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    rules BLOB NOT NULL,
    routes TEXT NOT NULL,
    first_lane_id INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    source TEXT NOT NULL DEFAULT 'first',
    request BLOB,
    passed INTEGER,
    step TEXT,
    complaint TEXT,
    review TEXT,
    review_note TEXT,
    reviewed_at INTEGER,
    CONSTRAINT job_check_passed_is_a_flag CHECK (passed = 0 OR passed = 1)
) STRICT;

CREATE TABLE job_tag (
    tag TEXT NOT NULL,
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, job_id)
) STRICT, WITHOUT ROWID;

-- For the cascade from job.
CREATE INDEX job_tag_job ON job_tag (job_id);

-- Answers, each stored once; jobs point to them, and `uses` counts how many do.
CREATE TABLE answer (
    id INTEGER PRIMARY KEY,
    route_id INTEGER NOT NULL REFERENCES route (id),
    prompt_hash BLOB,
    job_id INTEGER NOT NULL,
    model TEXT NOT NULL,
    body BLOB NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cache_write_1h_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses INTEGER NOT NULL
) STRICT;

-- The claim's look into the cache; the newest answer is the one that counts. Uncacheable answers have no hash.
CREATE INDEX answer_prompt ON answer (prompt_hash, route_id, id) WHERE prompt_hash IS NOT NULL;
-- Pruning of answers that no job points to.
CREATE INDEX answer_unused ON answer (expires_at) WHERE uses = 0;

CREATE TABLE worker (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    process_id INTEGER NOT NULL,
    slots INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    seen_boot INTEGER NOT NULL,
    seen_moment INTEGER NOT NULL,
    stopped INTEGER NOT NULL DEFAULT 0,
    emptying INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What a worker can call; one without rows did not say.
CREATE TABLE worker_service (
    worker_id INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    credential TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    PRIMARY KEY (worker_id, provider, endpoint, credential, simulated)
) STRICT, WITHOUT ROWID;

-- One try: it alone owns the lease, the reservation and the fate.
CREATE TABLE attempt (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    worker_id INTEGER NOT NULL,
    route_id INTEGER NOT NULL,
    home_route_id INTEGER NOT NULL,
    fallback INTEGER NOT NULL DEFAULT 0,
    fallback_cause TEXT,
    queue_id INTEGER NOT NULL,
    fate TEXT NOT NULL DEFAULT 'open',
    verdict TEXT,
    counted INTEGER NOT NULL DEFAULT 0,
    opened_at INTEGER NOT NULL,
    opened_moment INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    closed_at INTEGER,
    prompt_hash BLOB,
    reserved_input REAL NOT NULL,
    reserved_output REAL NOT NULL,
    reserved_cost INTEGER NOT NULL,
    budget_windows TEXT,
    mark_requests REAL NOT NULL,
    mark_input REAL NOT NULL,
    mark_output REAL NOT NULL,
    mark_succeeded INTEGER NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cache_write_tokens INTEGER,
    cache_write_1h_tokens INTEGER,
    cache_read_tokens INTEGER,
    cost INTEGER NOT NULL DEFAULT 0,
    maybe_paid INTEGER NOT NULL DEFAULT 0,
    cleared INTEGER NOT NULL DEFAULT 0,
    call_milliseconds INTEGER,
    request_id TEXT,
    error TEXT,
    PRIMARY KEY (job_id, number),
    CONSTRAINT attempt_fate_is_known CHECK (fate = 'open' OR fate = 'settled' OR fate = 'written_off'),
    CONSTRAINT attempt_closed_means_a_verdict CHECK ((fate = 'open') = (verdict IS NULL)),
    CONSTRAINT attempt_open_has_paid_nothing CHECK (fate <> 'open' OR (cost = 0 AND maybe_paid = 0))
) STRICT, WITHOUT ROWID;

-- The reaper's look for leases that ran out.
CREATE INDEX attempt_lease ON attempt (lease_until) WHERE fate = 'open';
-- The claim's look for a call in flight for the same prompt.
CREATE INDEX attempt_prompt ON attempt (prompt_hash, home_route_id) WHERE fate = 'open' AND prompt_hash IS NOT NULL;
-- What a person may clear.
CREATE INDEX attempt_maybe_paid ON attempt (job_id, number) WHERE maybe_paid > 0;
-- What one worker holds.
CREATE INDEX attempt_worker ON attempt (worker_id) WHERE fate = 'open';

-- Prompts whose answer has come while more jobs are held under them than one transaction should release.
CREATE TABLE release (
    prompt_hash BLOB NOT NULL,
    route_id INTEGER NOT NULL,
    impatient INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (prompt_hash, route_id)
) STRICT, WITHOUT ROWID;

-- How many jobs stand where, kept with every change so that nobody counts a million rows.
CREATE TABLE lane_tally (
    lane_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (lane_id, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch_tally (
    batch_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (batch_id, state)
) STRICT, WITHOUT ROWID;

-- The last place in the order of finishing that a retry or pruning gave up: no other job may get it, as somebody may
-- have read on from there.
CREATE TABLE finish_floor (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    CONSTRAINT finish_floor_is_one_row CHECK (id = 1)
) STRICT;

-- What may be spent on some jobs within a time. One that is out of force stays, as attempts may still be open in it.
CREATE TABLE budget (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    span TEXT NOT NULL,
    amount INTEGER NOT NULL,
    alerts TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    CONSTRAINT budget_scope_is_known CHECK (scope IN ('all', 'queue', 'tag')),
    CONSTRAINT budget_span_is_known CHECK (span IN ('day', 'month', 'total')),
    CONSTRAINT budget_amount_is_positive CHECK (amount > 0),
    CONSTRAINT budget_active_is_a_flag CHECK (active IN (0, 1))
) STRICT;

-- What of a budget was spent in one window. An attempt names the windows in which its worst case was reserved
-- (`,3,7,`), and its money leaves it there, however late.
CREATE TABLE budget_window (
    id INTEGER PRIMARY KEY,
    budget_id INTEGER NOT NULL REFERENCES budget (id),
    starts_at INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0,
    maybe_paid INTEGER NOT NULL DEFAULT 0,
    alerted INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT budget_window_is_known_once UNIQUE (budget_id, starts_at),
    CONSTRAINT budget_window_owes_nothing CHECK (settled >= 0 AND reserved >= 0 AND maybe_paid >= 0)
) STRICT;

-- What operators should know of; the newest ten thousand are kept.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    percent INTEGER
) STRICT;

-- Calls and money by UTC day and lane.
CREATE TABLE spend (
    day INTEGER NOT NULL,
    lane_id INTEGER NOT NULL,
    calls INTEGER NOT NULL DEFAULT 0,
    hits INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0,
    cache_read_tokens INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    maybe_paid INTEGER NOT NULL DEFAULT 0,
    shared_hits INTEGER NOT NULL DEFAULT 0,
    shared_saved INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, lane_id)
) STRICT, WITHOUT ROWID;

-- The same by UTC day and tag; a job with several tags counts under each.
CREATE TABLE spend_tag (
    day INTEGER NOT NULL,
    tag TEXT NOT NULL,
    calls INTEGER NOT NULL DEFAULT 0,
    hits INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    maybe_paid INTEGER NOT NULL DEFAULT 0,
    shared_hits INTEGER NOT NULL DEFAULT 0,
    shared_saved INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, tag)
) STRICT, WITHOUT ROWID;
