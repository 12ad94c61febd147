-- Where merchants want their events sent, and what became of each sending.
CREATE TABLE webhook_endpoints (
    webhook_id       uuid        PRIMARY KEY,
    merchant_id      uuid        NOT NULL,
    url              text        NOT NULL CHECK (char_length(url) BETWEEN 1 AND 2048),
    description      text        CHECK (char_length(description) BETWEEN 1 AND 500),
    -- Types, and kinds with their wildcard; none: every type.
    event_types      text[]      NOT NULL,
    api_version      text        NOT NULL CHECK (api_version ~ '^v[0-9]{1,3}$'),
    -- The events of an object one after the other, a later one only when nothing earlier of it waits.
    ordered          boolean     NOT NULL,
    state            text        NOT NULL CHECK (state IN ('enabled', 'disabled')),
    disabled_reason  text        CHECK (disabled_reason IN ('failing', 'gone', 'merchant')),
    disabled_at      timestamptz,
    -- Since when nothing arrived any more; null after something did.
    failing_since    timestamptz,
    -- Encrypted with the secret webhook_keys of the service.
    secret           bytea       NOT NULL,
    -- The one before, which signs too until then.
    old_secret       bytea,
    old_secret_until timestamptz CHECK ((old_secret_until IS NULL) = (old_secret IS NULL)),
    -- Test events that were asked for: the sequence of the last one.
    tests            bigint      NOT NULL CHECK (tests >= 0),
    version          bigint      NOT NULL CHECK (version > 0),
    created_at       timestamptz NOT NULL,
    CHECK ((state = 'disabled') = (disabled_reason IS NOT NULL)),
    CHECK ((state = 'disabled') = (disabled_at IS NOT NULL))
);

CREATE INDEX ix_webhook_endpoints_merchant_id_created_at ON webhook_endpoints (merchant_id, created_at, webhook_id);

-- What is still to be sent, a row for each endpoint and event; it goes when the event has arrived or is given up.
CREATE TABLE webhook_queue (
    webhook_id uuid        NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id   uuid        NOT NULL,
    key        text        NOT NULL,
    sequence   bigint      NOT NULL,
    -- When a sender may take it (again); a sender that dies mid-way loses it then.
    due_at     timestamptz NOT NULL,
    -- All of them, and those since it was queued last.
    attempts   integer     NOT NULL CHECK (attempts >= 0),
    tries      integer     NOT NULL CHECK (tries BETWEEN 0 AND attempts),
    queued_at  timestamptz NOT NULL,
    PRIMARY KEY (webhook_id, event_id)
);

CREATE INDEX ix_webhook_queue_webhook_id_due_at ON webhook_queue (webhook_id, due_at);

-- Whether something earlier of the same object waits.
CREATE INDEX ix_webhook_queue_webhook_id_key_sequence ON webhook_queue (webhook_id, key, sequence, event_id);

-- What became of an event at an endpoint.
CREATE TABLE webhook_deliveries (
    event_id     uuid        NOT NULL,
    webhook_id   uuid        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('delivered', 'failed', 'pending')),
    attempts     integer     NOT NULL CHECK (attempts >= 0),
    last_status  smallint    CHECK (last_status BETWEEN 100 AND 999),
    last_error   text        CHECK (last_error ~ '^[a-z_]{1,40}$'),
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz CHECK ((state = 'delivered') <= (delivered_at IS NOT NULL)),
    PRIMARY KEY (event_id, webhook_id)
) WITH (fillfactor = 60);

SELECT begin_partitions('webhook_deliveries', 'event_id', 'uuid', '{event_id, webhook_id}', 31);
SELECT validate_partitions('webhook_deliveries');
SELECT end_partitions('webhook_deliveries', '${app_role}', 'SELECT, INSERT, UPDATE');

-- An endpoint's list, newest first.
CREATE INDEX ix_webhook_deliveries_webhook_id_event_id ON webhook_deliveries (webhook_id, event_id);

-- Each attempt: what was asked follows from the event, what was answered is here.
CREATE TABLE webhook_attempts (
    event_id     uuid        NOT NULL,
    webhook_id   uuid        NOT NULL,
    attempt      integer     NOT NULL CHECK (attempt > 0),
    attempted_at timestamptz NOT NULL,
    duration_ms  integer     NOT NULL CHECK (duration_ms >= 0),
    url          text        NOT NULL,
    signature    text        NOT NULL,
    status       smallint    CHECK (status BETWEEN 100 AND 999),
    error        text        CHECK (error ~ '^[a-z_]{1,40}$'),
    -- The first 64 KB of it.
    answer       bytea       CHECK (octet_length(answer) <= 65536),
    PRIMARY KEY (event_id, webhook_id, attempt)
);

SELECT begin_partitions('webhook_attempts', 'event_id', 'uuid', '{event_id, webhook_id, attempt}', 31);
SELECT validate_partitions('webhook_attempts');
SELECT end_partitions('webhook_attempts', '${app_role}');

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints, webhook_queue TO ${app_role};
