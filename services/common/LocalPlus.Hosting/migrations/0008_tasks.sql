-- Work that is done later, by whoever has a free hand: what is true of it is here, a broker only rings (ADR 0043).
CREATE TABLE tasks (
    task_id       uuid        NOT NULL PRIMARY KEY,
    queue         text        NOT NULL CHECK (queue IN ('critical', 'high', 'default', 'low', 'scheduled')),
    kind          text        NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 100),
    merchant_id   uuid,
    -- While a task with this key waits or runs there is no second one of its kind.
    dedup_key     text        CHECK (char_length(dedup_key) BETWEEN 1 AND 255),
    payload       jsonb       NOT NULL,
    priority      integer     NOT NULL DEFAULT 0,
    state         text        NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
    -- When a worker may take it (again): while it runs, the end of its worker's lease.
    due_at        timestamptz CHECK ((state IN ('waiting', 'running')) = (due_at IS NOT NULL)),
    -- Tries since it last got somewhere.
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- How often it was taken: who writes what came of it shows the number it was taken with.
    runs          bigint      NOT NULL DEFAULT 0,
    -- Asked for again while it ran.
    is_wanted     boolean     NOT NULL DEFAULT false,
    cancel_wanted boolean     NOT NULL DEFAULT false,
    done          bigint      NOT NULL DEFAULT 0,
    total         bigint,
    result        jsonb,
    last_error    text        CHECK (char_length(last_error) <= 200),
    traceparent   text,
    created_at    timestamptz NOT NULL,
    started_at    timestamptz,
    finished_at   timestamptz
);
CREATE UNIQUE INDEX ix_tasks_kind_dedup_key ON tasks (kind, dedup_key) WHERE dedup_key IS NOT NULL AND due_at IS NOT NULL;
CREATE INDEX ix_tasks_queue_priority_due_at ON tasks (queue, priority DESC, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_tasks_finished_at ON tasks (finished_at) WHERE finished_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO ${app_role};
