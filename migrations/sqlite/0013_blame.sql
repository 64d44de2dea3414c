-- From when on a job's failures count: how many calls had succeeded on a route when it first failed there, or at its last failure
-- that counted. And how many failures were not counted though they may have been paid for.
ALTER TABLE job ADD COLUMN blame_route_id INTEGER;
ALTER TABLE job ADD COLUMN blame_mark INTEGER;
ALTER TABLE job ADD COLUMN forgiven INTEGER NOT NULL DEFAULT 0;

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

-- Queues paused themselves for that before.
UPDATE queue SET paused = 0, pause_reason = NULL WHERE pause_reason IS NOT NULL;
ALTER TABLE queue DROP COLUMN refused_signature;
ALTER TABLE queue DROP COLUMN refused_streak;

-- A provider's key as some workers have it, told from others by a fingerprint; and how the provider takes it.
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

ALTER TABLE worker_service ADD COLUMN credential_id INTEGER REFERENCES credential (id);

-- Whether the log has been told that the money of a window is spent.
ALTER TABLE budget_window ADD COLUMN spent_told INTEGER NOT NULL DEFAULT 0;
