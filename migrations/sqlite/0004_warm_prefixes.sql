-- What many requests begin with and the provider caches: the hash of that part, and how long the provider keeps it.
ALTER TABLE job ADD COLUMN prefix_hash BLOB;
ALTER TABLE job ADD COLUMN prefix_lifetime INTEGER;

-- Which prefixes the provider has in its cache, by the boot clock; while an attempt writes one, others wait for it.
CREATE TABLE prefix (
    route_id INTEGER NOT NULL REFERENCES route (id),
    hash BLOB NOT NULL,
    boot INTEGER NOT NULL,
    warm_until INTEGER NOT NULL,
    writer_job INTEGER,
    writer_attempt INTEGER,
    PRIMARY KEY (route_id, hash)
) STRICT, WITHOUT ROWID;
