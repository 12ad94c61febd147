-- What merchants are told, by GET /v1/events and by webhooks: a row an event, 30 days from its day.
CREATE TABLE merchant_events (
    event_id    uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    -- Where it stands among its merchant's events. Given under the merchant's row of event_feeds, so whoever has read up to
    -- one has missed none before it.
    position    bigint      NOT NULL CHECK (position > 0),
    topic       text        NOT NULL CHECK (char_length(topic) BETWEEN 1 AND 200),
    type        text        NOT NULL CHECK (char_length(type) BETWEEN 1 AND 200),
    key         text        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 200),
    sequence    bigint      NOT NULL CHECK (sequence > 0),
    occurred_at timestamptz NOT NULL,
    -- As it was published.
    data        json        NOT NULL
);

CREATE TABLE event_feeds (
    merchant_id   uuid   PRIMARY KEY,
    -- The position that was given last; events that came again leave gaps.
    last_position bigint NOT NULL CHECK (last_position > 0)
) WITH (fillfactor = 50);

SELECT begin_partitions('merchant_events', 'event_id', 'uuid', '{event_id}', 31);

SELECT validate_partitions('merchant_events');

SELECT end_partitions('merchant_events', '${app_role}');

-- A merchant's feed, in either direction.
CREATE INDEX ix_merchant_events_merchant_id_position ON merchant_events (merchant_id, position);

-- What happened to one object.
CREATE INDEX ix_merchant_events_merchant_id_key ON merchant_events (merchant_id, key, position);

GRANT SELECT, INSERT, UPDATE ON event_feeds TO ${app_role};
