-- What all processes agree on: the calendar, and what an operator says.

-- A calendar and a moment of the boot clock that were one, and a calendar that claims to know better.
CREATE TABLE calendar (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    boot INTEGER NOT NULL,
    moment INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    claim_offset INTEGER,
    claim_since INTEGER,
    claim_seen_at INTEGER,
    trial_until INTEGER,
    leap INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0,
    moved_at INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT calendar_is_one_row CHECK (id = 1)
) STRICT;

-- How far a process's own calendar is from it, and whether the process claims nothing for its configuration's sake.
ALTER TABLE worker ADD COLUMN disagreement INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;

-- What was said of prices, budgets and routes; the newest of a subject is in force. A file's subject is empty.
CREATE TABLE statement (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    content TEXT NOT NULL,
    source TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

-- What is in force of a subject.
CREATE INDEX statement_subject ON statement (subject, id);

-- The configuration file that states a budget.
ALTER TABLE budget ADD COLUMN stated_by TEXT;

-- What was spent in a window before its budget was stated, and by how much that passed its limit.
ALTER TABLE budget_window ADD COLUMN brought INTEGER NOT NULL DEFAULT 0;
ALTER TABLE budget_window ADD COLUMN excess INTEGER NOT NULL DEFAULT 0;

-- When jobs last moved in it: a route whose lanes are quiet leaves the lists.
ALTER TABLE lane ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
