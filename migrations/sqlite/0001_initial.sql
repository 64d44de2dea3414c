-- Calendar times are integer milliseconds UTC. Moments are milliseconds of the boot clock, beside a shortened boot id.
-- Money is integer nano-dollars. Only what a claim touches is in `job`; bodies live in tables of their own.
-- Lists in CHECKs and in indexes are spelled out with OR: an IN of more than two SQLite builds as a table, at every write.

-- Owners of queues, batches, budgets and the callers' own names: each such name is unique within its tenant. There is one
-- so far.
CREATE TABLE tenant (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO tenant (id, name) VALUES (1, 'default');

CREATE TABLE queue (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    concurrency INTEGER,
    weight INTEGER NOT NULL DEFAULT 100,
    running INTEGER NOT NULL DEFAULT 0,
    pass REAL NOT NULL DEFAULT 0,
    check_rules BLOB,
    check_routes TEXT,
    requires_system INTEGER NOT NULL DEFAULT 0,
    requires_check INTEGER NOT NULL DEFAULT 0,
    max_input_tokens INTEGER,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id),
    CONSTRAINT queue_paused_is_a_flag CHECK (paused IN (0, 1)),
    CONSTRAINT queue_concurrency_is_positive CHECK (concurrency IS NULL OR concurrency >= 1),
    CONSTRAINT queue_weight_is_positive CHECK (weight >= 1),
    CONSTRAINT queue_running_is_no_debt CHECK (running >= 0),
    CONSTRAINT queue_name_is_given_once UNIQUE (name, tenant_id),
    CONSTRAINT queue_requires_system_is_a_flag CHECK (requires_system IN (0, 1)),
    CONSTRAINT queue_requires_check_is_a_flag CHECK (requires_check IN (0, 1)),
    CONSTRAINT queue_max_input_tokens_is_positive CHECK (max_input_tokens IS NULL OR max_input_tokens >= 1)
) STRICT;

-- The pass of the queue that was served last: one that comes back joins there.
CREATE TABLE virtual_time (
    id INTEGER PRIMARY KEY,
    pass REAL NOT NULL,
    CONSTRAINT virtual_time_is_one_row CHECK (id = 1)
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

-- Queue × route × budget × kind: all jobs of a lane meet the same gates. `budget` has those of its jobs' tags that have a budget
-- of their own, sorted, one a line. What a lane is, it stays: common, interactive (the calls of one serving process, `owner`; the
-- lane outlives its owner, and the next one takes it over), or at half price. A batch of the Message Batches API has lanes of its
-- own; nothing is taken from a sealed one, as its upload is not whole or it was cancelled. `variant` tells lanes apart that are
-- the same otherwise.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    queue_id INTEGER NOT NULL REFERENCES queue (id),
    route_id INTEGER NOT NULL REFERENCES route (id),
    budget TEXT NOT NULL DEFAULT '',
    variant TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT 'common',
    owner INTEGER,
    batch_id INTEGER,
    sealed INTEGER NOT NULL DEFAULT 0,
    -- When jobs last moved in it: a route whose lanes are quiet leaves the lists.
    used_at INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT lane_is_interned_once UNIQUE (queue_id, route_id, variant, budget),
    CONSTRAINT lane_kind_is_known CHECK (kind = 'common' OR kind = 'interactive' OR kind = 'half_price'),
    CONSTRAINT lane_sealed_is_a_flag CHECK (sealed = 0 OR sealed = 1)
) STRICT;

-- What a serving process finds its own lanes by, and the reaper those of one that died.
CREATE INDEX lane_owner ON lane (owner) WHERE owner IS NOT NULL;
-- Opening, sealing and cancelling a batch's lanes.
CREATE INDEX lane_batch ON lane (batch_id) WHERE batch_id IS NOT NULL;

-- Tags that got a budget, or lost it, while their unfinished jobs are moved to the lanes where they belong: how far that has come.
CREATE TABLE lane_move (
    tag TEXT NOT NULL,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id),
    behind INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tag, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    metadata BLOB,
    created_at INTEGER NOT NULL,
    next_ordinal INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0,
    cache_hits INTEGER NOT NULL DEFAULT 0,
    unconfirmed_cost INTEGER NOT NULL DEFAULT 0,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id),
    CONSTRAINT batch_name_is_given_once UNIQUE (name, tenant_id)
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
    crash_count INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL,
    cache TEXT NOT NULL,
    max_tokens INTEGER NOT NULL,
    request_bytes INTEGER NOT NULL,
    worst_input_tokens INTEGER,
    -- The most searches on the web that a call can make, each with a fee; null if nothing limits them.
    worst_searches INTEGER DEFAULT 0,
    cache_writes INTEGER NOT NULL,
    max_cost INTEGER,
    prompt_hash BLOB NOT NULL,
    -- What many requests begin with and the provider caches: the hash of that part, and how long the provider keeps it.
    prefix_hash BLOB,
    prefix_lifetime INTEGER,
    created_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    finish_order INTEGER,
    deadline INTEGER,
    custom_id TEXT,
    batch_id INTEGER REFERENCES batch (id),
    batch_ordinal INTEGER,
    answer_id INTEGER,
    cached INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    fallback INTEGER NOT NULL DEFAULT 0,
    fallback_cause TEXT,
    -- Waits for no identical call any more: one has shown that its answers cannot be shared.
    skip_coalescing INTEGER NOT NULL DEFAULT 0,
    -- From when on failures count: how many calls had succeeded on a route when the job first failed there, or at its last
    -- failure that counted. And how many failures were not counted though they may have been paid for.
    blame_route_id INTEGER,
    blame_mark INTEGER,
    forgiven INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    -- Beside the text, as an index on an expression could not read it: SQLite lets no schema call its JSON functions if schemas
    -- are not trusted.
    error_type TEXT,
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
    CONSTRAINT job_attempts_are_ordered CHECK (attempts_counted <= attempt),
    CONSTRAINT job_error_type_means_failed CHECK (error_type IS NULL OR state = 'failed')
) STRICT;

-- The claim's draw: the ready jobs of one lane in rank order. Holds nothing that cannot be claimed next.
CREATE INDEX job_ready ON job (lane_id, rank, id) WHERE ready = 1;
-- The claim's look for jobs that outlived several workers and must run with no neighbours.
CREATE INDEX job_alone ON job (lane_id, rank, id) WHERE ready = 1 AND crash_count >= 3;
-- The claim's first step: held jobs that are due.
CREATE INDEX job_held ON job (held_until) WHERE held_until IS NOT NULL;
-- Releasing the jobs that wait for an answer to one prompt.
CREATE INDEX job_held_hash ON job (held_hash, id) WHERE held_hash IS NOT NULL;
-- Jobs that wait at half price and have no time left.
CREATE INDEX job_lane_deadline ON job (lane_id, deadline) WHERE deadline IS NOT NULL AND finish_order IS NULL;
-- The reaper's look for jobs that can no longer be in time.
CREATE INDEX job_deadline ON job (deadline) WHERE deadline IS NOT NULL AND finish_order IS NULL;
-- The caller's own name for a job.
CREATE UNIQUE INDEX job_custom_id ON job (queue_id, custom_id) WHERE custom_id IS NOT NULL;
-- Results in input order.
CREATE UNIQUE INDEX job_batch ON job (batch_id, batch_ordinal) WHERE batch_id IS NOT NULL;
-- Results in the order of finishing, and pruning.
CREATE UNIQUE INDEX job_finished ON job (finish_order) WHERE finish_order IS NOT NULL;
-- Every list is one of some lanes and states, in the order of ids: each of these indexes has its jobs by lane, and each job stands
-- in one of the first three (in review, in two). A claim moves nothing in them. The id need not be named: a rowid ends every index.
-- Lists and changes of what is not finished, beside any number of jobs that are.
CREATE INDEX job_unfinished ON job (lane_id) WHERE finish_order IS NULL;
-- Lists of what went well.
CREATE INDEX job_succeeded ON job (lane_id) WHERE state = 'succeeded';
-- Lists of what went wrong.
CREATE INDEX job_unhappy ON job (state, lane_id) WHERE state = 'failed' OR state = 'cancelled' OR state = 'review';
-- The same by what it was that went wrong.
CREATE INDEX job_error ON job (error_type, lane_id) WHERE error_type IS NOT NULL;
-- A batch's list; ordinals are the order of the input, which need not be that of ids.
CREATE INDEX job_of_batch ON job (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE job_body (
    job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    request BLOB NOT NULL,
    metadata BLOB,
    tags TEXT,
    fingerprint BLOB NOT NULL,
    sample INTEGER NOT NULL DEFAULT 0,
    requested_model TEXT,
    -- The provider's beta features that a call asks for, sorted, with commas between.
    betas TEXT,
    idempotency_key TEXT,
    idempotency_ordinal INTEGER,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id)
) STRICT;

-- The repetition of an upload finds its jobs.
CREATE UNIQUE INDEX job_body_idempotency
    ON job_body (idempotency_key, idempotency_ordinal, tenant_id) WHERE idempotency_key IS NOT NULL;

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
    reason TEXT,
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

-- Pruning of answers that no job points to.
CREATE INDEX answer_unused ON answer (expires_at) WHERE uses = 0;

-- The claim's look into the cache: answers by the first eight bytes of their prompt's hash, the newest one counts. The rest of
-- the hash is compared in `answer`.
CREATE TABLE answer_prompt (
    prompt BLOB NOT NULL,
    answer_id INTEGER NOT NULL,
    PRIMARY KEY (prompt, answer_id)
) STRICT, WITHOUT ROWID;

-- The same of the newest answers, in the order in which they came: each connection keeps them in memory. They go to
-- `answer_prompt` many at a time, in the order of their prompts; the last one stays, so that no number is given twice.
CREATE TABLE answer_recent (
    number INTEGER PRIMARY KEY,
    prompt BLOB NOT NULL,
    answer_id INTEGER NOT NULL
) STRICT;

-- How many of those up to a number have been merged, in the order of their prompts; null while they are deleted.
CREATE TABLE answer_merge (
    id INTEGER PRIMARY KEY,
    last_number INTEGER NOT NULL,
    merged INTEGER DEFAULT 0,
    CONSTRAINT answer_merge_is_one_row CHECK (id = 1)
) STRICT;

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
    emptying INTEGER NOT NULL DEFAULT 0,
    -- Whether it serves its own interactive lanes, and not the common ones.
    is_interactive INTEGER NOT NULL DEFAULT 0,
    -- How far its own calendar is from the one agreed on, and whether it claims nothing for its configuration's sake.
    disagreement INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A provider's key as some workers have it, identified by a fingerprint; and how the provider takes it.
CREATE TABLE credential (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    name TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,
    until_boot INTEGER,
    until_at INTEGER,
    closed_boot INTEGER,
    closed_at INTEGER,
    trips INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT credential_is_known_once UNIQUE (provider, endpoint, name, simulated, fingerprint),
    CONSTRAINT credential_refused_is_a_flag CHECK (refused = 0 OR refused = 1)
) STRICT;

-- What a worker can call; one without rows did not say.
CREATE TABLE worker_service (
    worker_id INTEGER NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    credential TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    credential_id INTEGER REFERENCES credential (id),
    PRIMARY KEY (worker_id, provider, endpoint, credential, simulated)
) STRICT, WITHOUT ROWID;

-- One try: it alone owns the lease, the reservation and a status. One that is out with a batch of the provider has no worker: no
-- lease, and another boot does not end it.
CREATE TABLE attempt (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    worker_id INTEGER NOT NULL,
    route_id INTEGER NOT NULL,
    home_route_id INTEGER NOT NULL,
    fallback INTEGER NOT NULL DEFAULT 0,
    fallback_cause TEXT,
    queue_id INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'open',
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
    unconfirmed_cost INTEGER NOT NULL DEFAULT 0,
    cleared INTEGER NOT NULL DEFAULT 0,
    call_milliseconds INTEGER,
    request_id TEXT,
    error TEXT,
    provider_batch_id INTEGER,
    PRIMARY KEY (job_id, number),
    CONSTRAINT attempt_status_is_known CHECK (status = 'open' OR status = 'settled' OR status = 'written_off'),
    CONSTRAINT attempt_closed_means_a_verdict CHECK ((status = 'open') = (verdict IS NULL)),
    CONSTRAINT attempt_open_has_paid_nothing CHECK (status <> 'open' OR (cost = 0 AND unconfirmed_cost = 0))
) STRICT, WITHOUT ROWID;

-- The reaper's look for leases that ran out.
CREATE INDEX attempt_lease ON attempt (lease_until) WHERE status = 'open' AND provider_batch_id IS NULL;
-- What is still out with one batch of the provider.
CREATE INDEX attempt_provider_batch
    ON attempt (provider_batch_id, job_id) WHERE provider_batch_id IS NOT NULL AND status = 'open';
-- The claim's look for a call in flight for the same prompt.
CREATE INDEX attempt_prompt ON attempt (prompt_hash, home_route_id) WHERE status = 'open' AND prompt_hash IS NOT NULL;
-- What a person may clear.
CREATE INDEX attempt_unconfirmed_cost ON attempt (job_id, number) WHERE unconfirmed_cost > 0;
-- What one worker holds.
CREATE INDEX attempt_worker ON attempt (worker_id) WHERE status = 'open';

-- Prompts whose answer has come while more jobs are held under them than one transaction should release.
CREATE TABLE pending_release (
    prompt_hash BLOB NOT NULL,
    route_id INTEGER NOT NULL,
    skip_coalescing INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (prompt_hash, route_id)
) STRICT, WITHOUT ROWID;

-- How many jobs are in which lane and state, kept with every change so that no query counts a million rows.
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
CREATE TABLE finish_watermark (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    CONSTRAINT finish_watermark_is_one_row CHECK (id = 1)
) STRICT;

-- How far pruning has looked in the order of finishing: all that is left before `place` are jobs of batches whose results are
-- kept, and none of them for less than `until`.
CREATE TABLE prune_floor (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    until INTEGER NOT NULL,
    CONSTRAINT prune_floor_is_one_row CHECK (id = 1)
) STRICT;

INSERT INTO prune_floor (id, place, until) VALUES (1, 0, 0);

-- What may be spent on some jobs within a time. One that is out of force stays, as attempts may still be open in it.
CREATE TABLE budget (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    span TEXT NOT NULL,
    amount INTEGER NOT NULL,
    alerts TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    -- The configuration file that states it.
    stated_by TEXT,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id),
    CONSTRAINT budget_scope_is_known CHECK (scope IN ('all', 'queue', 'tag', 'key', 'tenant')),
    CONSTRAINT budget_span_is_known CHECK (span IN ('day', 'month', 'total')),
    CONSTRAINT budget_amount_is_positive CHECK (amount > 0),
    CONSTRAINT budget_active_is_a_flag CHECK (active IN (0, 1)),
    CONSTRAINT budget_name_is_given_once UNIQUE (name, tenant_id)
) STRICT;

-- What of a budget was spent in one window. An attempt names the windows in which its worst case was reserved
-- (`,3,7,`), and its money leaves it there, however late.
CREATE TABLE budget_window (
    id INTEGER PRIMARY KEY,
    budget_id INTEGER NOT NULL REFERENCES budget (id),
    starts_at INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0,
    unconfirmed_cost INTEGER NOT NULL DEFAULT 0,
    alerted INTEGER NOT NULL DEFAULT 0,
    -- What was spent in it before its budget was stated, and by how much that passed its limit.
    spent_before INTEGER NOT NULL DEFAULT 0,
    excess INTEGER NOT NULL DEFAULT 0,
    -- Whether an event has reported that the money is spent.
    exhaustion_logged INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT budget_window_is_known_once UNIQUE (budget_id, starts_at),
    CONSTRAINT budget_window_owes_nothing CHECK (settled >= 0 AND reserved >= 0 AND unconfirmed_cost >= 0)
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
    cache_hits INTEGER NOT NULL DEFAULT 0,
    input_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cache_write_tokens INTEGER NOT NULL DEFAULT 0,
    cache_read_tokens INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    unconfirmed_cost INTEGER NOT NULL DEFAULT 0,
    shared_hits INTEGER NOT NULL DEFAULT 0,
    shared_saved INTEGER NOT NULL DEFAULT 0,
    -- What went at half price, and what the same would have cost at full price.
    batch_calls INTEGER NOT NULL DEFAULT 0,
    batch_cost INTEGER NOT NULL DEFAULT 0,
    batch_full_cost INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, lane_id)
) STRICT, WITHOUT ROWID;

-- The same by UTC day and tag; a job with several tags counts under each.
CREATE TABLE spend_tag (
    day INTEGER NOT NULL,
    tag TEXT NOT NULL,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id),
    calls INTEGER NOT NULL DEFAULT 0,
    cache_hits INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    unconfirmed_cost INTEGER NOT NULL DEFAULT 0,
    shared_hits INTEGER NOT NULL DEFAULT 0,
    shared_saved INTEGER NOT NULL DEFAULT 0,
    -- What went at half price, and what the same would have cost at full price.
    batch_calls INTEGER NOT NULL DEFAULT 0,
    batch_cost INTEGER NOT NULL DEFAULT 0,
    batch_full_cost INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, tag, tenant_id)
) STRICT, WITHOUT ROWID;

-- A batch of the Message Batches API. Its jobs stand in lanes of its own, sealed until the upload is whole.
CREATE TABLE message_batch (
    batch_id INTEGER PRIMARY KEY REFERENCES batch (id) ON DELETE CASCADE,
    open INTEGER NOT NULL DEFAULT 0,
    touched_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    cancelled_at INTEGER,
    ended_at INTEGER,
    idempotency_key TEXT,
    fingerprint BLOB,
    tenant_id INTEGER NOT NULL DEFAULT 1 REFERENCES tenant (id),
    CONSTRAINT message_batch_key_is_given_once UNIQUE (idempotency_key, tenant_id),
    CONSTRAINT message_batch_open_is_a_flag CHECK (open = 0 OR open = 1)
) STRICT;

-- The caller's own names of a batch's requests.
CREATE TABLE message_batch_item (
    job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    batch_id INTEGER NOT NULL,
    custom_id TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX message_batch_item_name ON message_batch_item (batch_id, custom_id);

-- Which prefixes the provider has in its cache, by the boot clock; while an attempt warms one up, others wait for it.
CREATE TABLE prefix (
    route_id INTEGER NOT NULL REFERENCES route (id),
    hash BLOB NOT NULL,
    boot INTEGER NOT NULL,
    warm_until INTEGER NOT NULL,
    warmup_job INTEGER,
    warmup_attempt INTEGER,
    PRIMARY KEY (route_id, hash)
) STRICT, WITHOUT ROWID;

-- Jobs that went to the provider together, as one of its own batches, at half price. Any worker may look after one that has not
-- ended: its owner for the moment.
CREATE TABLE provider_batch (
    id INTEGER PRIMARY KEY,
    route_id INTEGER NOT NULL REFERENCES route (id),
    deadline_class INTEGER NOT NULL,
    token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'filling',
    provider_id TEXT,
    rejected_ids TEXT NOT NULL DEFAULT '',
    requests INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    ended_at INTEGER,
    soonest_deadline INTEGER,
    recall_at INTEGER,
    polls INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    owner_id INTEGER,
    poll_boot INTEGER,
    poll_at INTEGER,
    CONSTRAINT provider_batch_state_is_known
        CHECK (
            state = 'filling' OR state = 'sealed' OR state = 'creating' OR state = 'away' OR state = 'recalled'
            OR state = 'returning' OR state = 'lost' OR state = 'ended'
        ),
    CONSTRAINT provider_batch_away_has_a_name CHECK (provider_id IS NOT NULL OR (state <> 'away' AND state <> 'recalled')),
    CONSTRAINT provider_batch_ended_has_a_time CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) STRICT;

-- Those that need upkeep.
CREATE INDEX provider_batch_open ON provider_batch (route_id, deadline_class) WHERE ended_at IS NULL;

-- What all processes agree on. A calendar and a moment of the boot clock that were one, and a calendar that claims to know better.
CREATE TABLE calendar (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    claim_offset INTEGER,
    claim_since INTEGER,
    claim_seen_at INTEGER,
    trial_until INTEGER,
    leap INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0,
    moved_at INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT calendar_is_one_row CHECK (id = 1)
) STRICT;

-- What was said of prices, budgets and routes; the newest of a subject is in force. A file's subject is empty.
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    content TEXT NOT NULL,
    source TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

-- What is in force of a subject.
CREATE INDEX statement_subject ON statement (subject, id);

-- Identical refusals in a row of one queue's jobs on one route: after some of them jobs are asked one at a time, and held back
-- while those are refused too.
CREATE TABLE refusal_streak (
    queue_id INTEGER NOT NULL REFERENCES queue (id),
    route_id INTEGER NOT NULL REFERENCES route (id),
    signature TEXT NOT NULL,
    message TEXT NOT NULL,
    refusals INTEGER NOT NULL,
    asked_boot INTEGER,
    asked_at INTEGER,
    trips INTEGER NOT NULL DEFAULT 0,
    until_boot INTEGER,
    until_at INTEGER,
    held_since INTEGER,
    PRIMARY KEY (queue_id, route_id),
    CONSTRAINT refusal_streak_is_a_run CHECK (refusals >= 1)
) STRICT, WITHOUT ROWID;
