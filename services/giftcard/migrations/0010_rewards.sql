-- Presents that a merchant shows to its customers and puts on their cards.
CREATE TABLE rewards (
    reward_id     uuid        NOT NULL PRIMARY KEY,
    merchant_id   uuid        NOT NULL,
    name          text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    description   text        CHECK (char_length(description) BETWEEN 1 AND 1000),
    image_url     text        CHECK (char_length(image_url) <= 2000),
    status        text        NOT NULL CHECK (status IN ('active', 'closed')),
    amount        bigint      NOT NULL CHECK (amount > 0),
    currency      char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    validity_days integer     CHECK (validity_days BETWEEN 1 AND 36500),
    -- How many there are; null is as many as wanted.
    quantity      integer     CHECK (quantity > 0),
    granted       integer     NOT NULL DEFAULT 0 CHECK (granted BETWEEN 0 AND quantity),
    reference     text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    version       bigint      NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL
);
CREATE INDEX ix_rewards_merchant_id_created_at ON rewards (merchant_id, created_at DESC, reward_id DESC);
CREATE UNIQUE INDEX ix_rewards_merchant_id_reference ON rewards (merchant_id, reference) WHERE reference IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON rewards TO ${app_role};
