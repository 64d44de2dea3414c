-- Cancelling, mending and listing what is not finished, in the order of ids, beside any number of jobs that are. A claim
-- moves nothing in it.
CREATE INDEX job_unfinished ON job (finish_order) WHERE finish_order IS NULL;
