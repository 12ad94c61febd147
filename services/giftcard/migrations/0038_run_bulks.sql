-- What operators do to many runs at once: which runs is said beforehand and not looked for again, and what became of each is kept.
CREATE TABLE run_bulks (
    bulk_id      uuid        NOT NULL PRIMARY KEY,
    verb         text        NOT NULL CHECK (verb IN ('retry', 'reconcile', 'suspend', 'resume', 'release', 'terminate')),
    -- As the list has it, and the moment that its age is counted from.
    filter       jsonb       NOT NULL,
    moved_before timestamptz,
    state        text        NOT NULL CHECK (state IN ('previewed', 'running', 'paused', 'done', 'cancelled')),
    runs         integer     NOT NULL CHECK (runs BETWEEN 0 AND 5000),
    done         integer     NOT NULL DEFAULT 0 CHECK (done >= 0),
    refused      integer     NOT NULL DEFAULT 0 CHECK (refused >= 0),
    failed       integer     NOT NULL DEFAULT 0 CHECK (failed >= 0),
    created_by   text        NOT NULL,
    -- In whose name it is done, as the audit has it.
    started_by   text,
    role         text,
    address      text,
    request_id   text,
    reason       text        CHECK (char_length(reason) BETWEEN 3 AND 500),
    version      bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    started_at   timestamptz,
    changed_at   timestamptz NOT NULL,
    finished_at  timestamptz CHECK ((state IN ('done', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK (done + refused + failed <= runs),
    CHECK (state IN ('previewed', 'cancelled')
           OR (started_by IS NOT NULL AND role IS NOT NULL AND request_id IS NOT NULL AND reason IS NOT NULL
               AND started_at IS NOT NULL))
);
CREATE INDEX ix_run_bulks_created_at ON run_bulks (created_at DESC, bulk_id DESC);
-- What the clean-up reads.
CREATE INDEX ix_run_bulks_changed_at ON run_bulks (changed_at) WHERE state <> 'running';

CREATE TABLE run_bulk_items (
    bulk_id       uuid        NOT NULL REFERENCES run_bulks,
    position      integer     NOT NULL CHECK (position BETWEEN 1 AND 5000),
    redemption_id uuid        NOT NULL,
    merchant_id   uuid        NOT NULL,
    amount        bigint      NOT NULL,
    currency      char(3)     NOT NULL,
    -- With what it would have been refused when it was chosen.
    foreseen      text,
    state         text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused', 'failed')),
    code          text        CHECK ((state IN ('refused', 'failed')) = (code IS NOT NULL)),
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- When it may be taken, and taken again if nothing came of it.
    due_at        timestamptz CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
    settled_at    timestamptz CHECK ((state = 'waiting') = (settled_at IS NULL)),
    PRIMARY KEY (bulk_id, position),
    UNIQUE (bulk_id, redemption_id)
);
CREATE INDEX ix_run_bulk_items_bulk_id_due_at ON run_bulk_items (bulk_id, due_at, position) WHERE state = 'waiting';

GRANT SELECT, INSERT, UPDATE, DELETE ON run_bulks, run_bulk_items TO ${app_role};
