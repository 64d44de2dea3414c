-- The most searches on the web that a call for the job can make, each with a fee; null where nothing limits them.
ALTER TABLE job ADD COLUMN worst_searches INTEGER DEFAULT 0;
