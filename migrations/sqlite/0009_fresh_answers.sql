-- The claim's look into the cache: answers by the first eight bytes of their prompt's hash, the newest one counts. The rest of
-- the hash is compared in `answer`.
DROP INDEX answer_prompt;

CREATE TABLE answer_prompt (
    prompt BLOB NOT NULL,
    answer_id INTEGER NOT NULL,
    PRIMARY KEY (prompt, answer_id)
) STRICT, WITHOUT ROWID;

INSERT INTO answer_prompt (prompt, answer_id)
SELECT substr(prompt_hash, 1, 8), id FROM answer WHERE prompt_hash IS NOT NULL ORDER BY 1, 2;

-- The same of the newest answers, in the order in which they came: each connection keeps them in memory. They go to
-- `answer_prompt` many at a time, in the order of their prompts; the last one stays, so that no number is given twice.
CREATE TABLE answer_fresh (
    number INTEGER PRIMARY KEY,
    prompt BLOB NOT NULL,
    answer_id INTEGER NOT NULL
) STRICT;

-- How many of those up to a number have been filed, in the order of their prompts; null while they are deleted.
CREATE TABLE answer_filing (
    id INTEGER PRIMARY KEY,
    last_number INTEGER NOT NULL,
    filed INTEGER DEFAULT 0,
    CONSTRAINT answer_filing_is_one_row CHECK (id = 1)
) STRICT;
