-- Every list is one of some lanes and states, in the order of ids: each index here has its jobs by lane, and each job stands in
-- one of the first three (in review, in two). A claim moves nothing in them. The id need not be named: a rowid ends every index.

-- Lists and changes of what is not finished, beside any number of jobs that are.
DROP INDEX job_unfinished;
CREATE INDEX job_unfinished ON job (lane_id) WHERE finish_order IS NULL;
-- Lists of what went well.
CREATE INDEX job_succeeded ON job (lane_id) WHERE state = 'succeeded';
-- Lists of what went wrong.
DROP INDEX job_unhappy;
CREATE INDEX job_unhappy ON job (state, lane_id) WHERE state = 'failed' OR state = 'cancelled' OR state = 'review';
-- The same by what it was that went wrong: the type of a failed job's error, beside its text. (An index on an expression
-- could not read the text: SQLite lets no schema call its JSON functions where schemas are not trusted.)
ALTER TABLE job ADD COLUMN error_type TEXT
    CONSTRAINT job_error_type_means_failed CHECK (error_type IS NULL OR state = 'failed');
UPDATE job SET error_type = json_extract(error, '$.type') WHERE state = 'failed';
CREATE INDEX job_error ON job (error_type, lane_id) WHERE error_type IS NOT NULL;
-- A batch's list; ordinals are the order of the input, which need not be that of ids.
CREATE INDEX job_of_batch ON job (batch_id) WHERE batch_id IS NOT NULL;
