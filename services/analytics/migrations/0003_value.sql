-- What is on cards, from the ledger's own entries: one row an entry of a card's account, and the sums of them by quarters of an
-- hour, which every time zone's days are made of.
CREATE TABLE value_entries (
    entry_id    uuid        NOT NULL PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    day         date        NOT NULL,
    bucket      timestamptz NOT NULL,
    currency    char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    kind        text        NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
    card        text        NOT NULL CHECK (char_length(card) BETWEEN 1 AND 60),
    -- Signed: what it changed on the card.
    amount      bigint      NOT NULL CHECK (abs(amount) < 9007199254740992)
);
-- The rollup reads whole days.
CREATE INDEX ix_value_entries_day ON value_entries (day);
-- The comparison with what events told reads cards.
CREATE INDEX ix_value_entries_card ON value_entries (card) WHERE kind IN ('activate', 'load');

CREATE TABLE value_cells (
    merchant_id uuid        NOT NULL,
    currency    char(3)     NOT NULL,
    bucket      timestamptz NOT NULL,
    kind        text        NOT NULL,
    amount      bigint      NOT NULL,
    entries     bigint      NOT NULL CHECK (entries >= 0),
    PRIMARY KEY (merchant_id, currency, bucket, kind)
);
-- The rollup writes whole days.
CREATE INDEX ix_value_cells_bucket ON value_cells (bucket);

GRANT SELECT, INSERT ON value_entries TO ${app_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON value_cells TO ${app_role};
