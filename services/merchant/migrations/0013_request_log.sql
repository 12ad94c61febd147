-- What merchants asked of all services, for 30 days. A row names no person and holds no secret.
CREATE TABLE request_log (
    -- Begins with the millisecond when the request came.
    entry_id    uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    request_id  text        NOT NULL CHECK (char_length(request_id) BETWEEN 1 AND 200),
    service     text        NOT NULL CHECK (char_length(service) BETWEEN 1 AND 40),
    credential  text        NOT NULL CHECK (char_length(credential) BETWEEN 1 AND 60),
    method      text        NOT NULL CHECK (char_length(method) BETWEEN 1 AND 40),
    route       text        NOT NULL CHECK (char_length(route) <= 200),
    path        text        NOT NULL CHECK (char_length(path) <= 300),
    status      integer     NOT NULL CHECK (status BETWEEN 100 AND 599),
    code        text        CHECK (char_length(code) BETWEEN 1 AND 100),
    duration_ms bigint      NOT NULL CHECK (duration_ms >= 0),
    -- Of the request's body.
    bytes       bigint      CHECK (bytes >= 0),
    address     text        CHECK (char_length(address) <= 60),
    occurred_at timestamptz NOT NULL
);

SELECT begin_partitions('request_log', 'entry_id', 'uuid', '{entry_id}', 31);

SELECT validate_partitions('request_log');

SELECT end_partitions('request_log', '${app_role}');

-- A merchant's list, newest first.
CREATE INDEX ix_request_log_merchant_id_entry_id ON request_log (merchant_id, entry_id);

-- What became of one request.
CREATE INDEX ix_request_log_merchant_id_request_id ON request_log (merchant_id, request_id, entry_id);

SELECT lock_rows('request_log', '${app_role}');
