-- A lane stands in the common line ('') or in the own line of one serving process, whose callers wait for its jobs. An own
-- line outlives its owner, and the next one takes it over.
ALTER TABLE lane RENAME COLUMN tenant TO line;
ALTER TABLE lane ADD COLUMN owner INTEGER;

-- What a serving process finds its own lanes by, and the reaper those of one that died.
CREATE INDEX lane_owner ON lane (owner) WHERE owner IS NOT NULL;

-- Whether a worker serves its own line, whose callers wait in its process, and not the common one.
ALTER TABLE worker ADD COLUMN own_line INTEGER NOT NULL DEFAULT 0;

-- The provider's beta features that a call asks for, sorted, with commas between.
ALTER TABLE job_body ADD COLUMN betas TEXT;
