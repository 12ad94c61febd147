-- The whole of an answer that shows a secret, encrypted, for a day: a repeat whose answer got lost gets it again.
CREATE TABLE sealed_answers (
    merchant_id uuid        NOT NULL,
    key         text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    sealed      bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, key)
);
CREATE INDEX ix_sealed_answers_created_at ON sealed_answers (created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON sealed_answers TO ${app_role};
