-- What a lane is, and stays: of the common line, of the own line of one serving process (`owner`), or at half the price. A batch
-- of the Message Batches API has lanes of its own; from a sealed one nobody takes, as its upload is not whole or it was
-- cancelled. `line` only tells lanes of the same queue, route and budget apart.
ALTER TABLE lane ADD COLUMN kind TEXT NOT NULL DEFAULT 'common'
    CONSTRAINT lane_kind_is_known CHECK (kind = 'common' OR kind = 'own' OR kind = 'half_price');
ALTER TABLE lane ADD COLUMN batch_id INTEGER;
ALTER TABLE lane ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0
    CONSTRAINT lane_sealed_is_a_flag CHECK (sealed = 0 OR sealed = 1);

UPDATE lane
SET kind = CASE WHEN line LIKE 'own %' THEN 'own' WHEN line LIKE '% half price' THEN 'half_price' ELSE 'common' END,
    batch_id = (SELECT batch.id FROM batch WHERE batch.name = 'msg' || replace(lane.line, ' half price', '')),
    sealed = coalesce(owner = 0, 0),
    owner = CASE WHEN owner > 0 THEN owner END
WHERE line <> '';

-- Opening, sealing and cancelling a batch's lanes.
CREATE INDEX lane_batch ON lane (batch_id) WHERE batch_id IS NOT NULL;

-- Tags that got a budget, or lost it, while their unfinished jobs are moved to the lanes where they belong: how far that has come.
CREATE TABLE lane_move (
    tag TEXT PRIMARY KEY,
    behind INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- How far pruning has looked in the order of finishing: all that is left before `place` are jobs of batches whose results are
-- kept, and none of them for less than `until`.
CREATE TABLE prune_floor (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    until INTEGER NOT NULL,
    CONSTRAINT prune_floor_is_one_row CHECK (id = 1)
) STRICT;
INSERT INTO prune_floor (id, place, until) VALUES (1, 0, 0);
