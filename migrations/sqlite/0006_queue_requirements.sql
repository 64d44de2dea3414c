-- What every job of a queue must have; asked where it comes in. A check may be the job's own or the queue's.
ALTER TABLE queue ADD COLUMN requires_system INTEGER NOT NULL DEFAULT 0
    CONSTRAINT queue_requires_system_is_a_flag CHECK (requires_system IN (0, 1));
ALTER TABLE queue ADD COLUMN requires_check INTEGER NOT NULL DEFAULT 0
    CONSTRAINT queue_requires_check_is_a_flag CHECK (requires_check IN (0, 1));
ALTER TABLE queue ADD COLUMN max_input_tokens INTEGER
    CONSTRAINT queue_max_input_tokens_is_positive CHECK (max_input_tokens IS NULL OR max_input_tokens >= 1);
