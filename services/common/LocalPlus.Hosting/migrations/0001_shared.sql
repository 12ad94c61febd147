-- What every service keeps beside its own tables.

-- The answer to each mutating request, written in the transaction of its effect.
CREATE TABLE idempotency_keys (
    merchant_id uuid        NOT NULL,
    key         text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea       NOT NULL CHECK (length(fingerprint) = 32),
    status      integer     NOT NULL CHECK (status BETWEEN 200 AND 599),
    location    text,
    etag        text,
    body        bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, key)
);

-- The clean-up after 30 days reads by age.
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

-- Events to publish, written in the transaction of their cause, deleted once the broker has them.
CREATE TABLE outbox_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid        NOT NULL,
    topic       text        NOT NULL,
    type        text        NOT NULL,
    key         text        NOT NULL,
    sequence    bigint      NOT NULL,
    merchant_id uuid,
    data        jsonb       NOT NULL,
    traceparent text,
    occurred_at timestamptz NOT NULL
);

-- Events whose effect is in this database: written in the transaction of that effect.
CREATE TABLE inbox_events (
    subscriber  text        NOT NULL,
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (subscriber, event_id)
);

-- Deliveries that were given up, kept until somebody decides.
CREATE TABLE dead_letters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic       text        NOT NULL,
    event_id    text        NOT NULL,
    payload     jsonb       NOT NULL,
    state       text        NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'replayed', 'discarded', 'archived')),
    received_at timestamptz NOT NULL,
    UNIQUE (topic, event_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys, outbox_events, inbox_events, dead_letters TO ${app_role};
