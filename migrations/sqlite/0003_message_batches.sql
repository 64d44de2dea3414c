-- A batch of the Message Batches API. Its jobs stand in lanes of its own, whose owner is 0: nobody's, until the upload is
-- whole and one update opens them.
CREATE TABLE message_batch (
    batch_id INTEGER PRIMARY KEY REFERENCES batch (id) ON DELETE CASCADE,
    open INTEGER NOT NULL DEFAULT 0,
    touched_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    cancelled_at INTEGER,
    ended_at INTEGER,
    idempotency_key TEXT UNIQUE,
    fingerprint BLOB,
    CONSTRAINT message_batch_open_is_a_flag CHECK (open = 0 OR open = 1)
) STRICT;

-- The caller's own names of a batch's requests.
CREATE TABLE message_batch_item (
    job_id INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    batch_id INTEGER NOT NULL,
    custom_id TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX message_batch_item_name ON message_batch_item (batch_id, custom_id);
