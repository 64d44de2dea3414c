-- Jobs that went to the provider together, as one of its own batches, at half the price. Their attempts are no worker's:
-- they have no lease, and another boot ends none of them. What they lack of `ended` is somebody's to do: the keeper's.
CREATE TABLE consignment (
    id INTEGER PRIMARY KEY,
    route_id INTEGER NOT NULL REFERENCES route (id),
    room INTEGER NOT NULL,
    mark TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'filling',
    provider_id TEXT,
    strangers TEXT NOT NULL DEFAULT '',
    requests INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    ended_at INTEGER,
    soonest_deadline INTEGER,
    recall_at INTEGER,
    looks INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    keeper INTEGER,
    look_boot INTEGER,
    look_at INTEGER,
    CONSTRAINT consignment_state_is_known
        CHECK (
            state = 'filling' OR state = 'sealed' OR state = 'creating' OR state = 'away' OR state = 'recalled'
            OR state = 'returning' OR state = 'lost' OR state = 'ended'
        ),
    CONSTRAINT consignment_away_has_a_name CHECK (provider_id IS NOT NULL OR (state <> 'away' AND state <> 'recalled')),
    CONSTRAINT consignment_ended_has_a_time CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) STRICT;

-- What somebody must look after.
CREATE INDEX consignment_open ON consignment (route_id, room) WHERE ended_at IS NULL;

ALTER TABLE attempt ADD COLUMN consignment_id INTEGER;

-- What is still out with one consignment.
CREATE INDEX attempt_consignment ON attempt (consignment_id, job_id) WHERE consignment_id IS NOT NULL AND fate = 'open';

-- The reaper's look, past what has no lease.
DROP INDEX attempt_lease;
CREATE INDEX attempt_lease ON attempt (lease_until) WHERE fate = 'open' AND consignment_id IS NULL;

-- Who waits at half the price and has no time left.
CREATE INDEX job_lane_deadline ON job (lane_id, deadline) WHERE deadline IS NOT NULL AND finish_order IS NULL;

-- What went at half the price, and what the same would have cost at the whole one.
ALTER TABLE spend ADD COLUMN batch_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spend ADD COLUMN batch_cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spend ADD COLUMN batch_whole_cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spend_tag ADD COLUMN batch_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spend_tag ADD COLUMN batch_cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spend_tag ADD COLUMN batch_whole_cost INTEGER NOT NULL DEFAULT 0;
