-- What happened, one row an event, and the daily sums of it.

CREATE TABLE facts (
    event_id    uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    -- The UTC day of the occurrence; a fact that arrives late still counts for its own day.
    day         date        NOT NULL,
    currency    char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    kind        text        NOT NULL CHECK (kind IN ('sold', 'loaded', 'redeemed', 'refunded', 'posted')),
    -- What happened it to: a card, a redemption or a ledger transaction.
    subject     text        NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 60),
    amount      bigint      NOT NULL CHECK (amount >= 0 AND amount < 9007199254740992),
    occurred_at timestamptz NOT NULL
);

-- A ledger transaction has an event for each of its entries and counts once.
CREATE UNIQUE INDEX ix_facts_subject ON facts (subject) WHERE kind = 'posted';

-- The rollup reads whole days.
CREATE INDEX ix_facts_day ON facts (day);

CREATE TABLE daily_totals (
    merchant_id     uuid    NOT NULL,
    day             date    NOT NULL,
    currency        char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    sold_amount     bigint  NOT NULL DEFAULT 0 CHECK (sold_amount >= 0),
    sold_count      bigint  NOT NULL DEFAULT 0 CHECK (sold_count >= 0),
    loaded_amount   bigint  NOT NULL DEFAULT 0 CHECK (loaded_amount >= 0),
    loaded_count    bigint  NOT NULL DEFAULT 0 CHECK (loaded_count >= 0),
    redeemed_amount bigint  NOT NULL DEFAULT 0 CHECK (redeemed_amount >= 0),
    redeemed_count  bigint  NOT NULL DEFAULT 0 CHECK (redeemed_count >= 0),
    refunded_amount bigint  NOT NULL DEFAULT 0 CHECK (refunded_amount >= 0),
    refunded_count  bigint  NOT NULL DEFAULT 0 CHECK (refunded_count >= 0),
    -- Ledger transactions, as a cross-check of the business facts.
    posted_count    bigint  NOT NULL DEFAULT 0 CHECK (posted_count >= 0),
    -- The report reads one merchant's range of days.
    PRIMARY KEY (merchant_id, day, currency)
);

GRANT SELECT, INSERT ON facts TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON daily_totals TO ${app_role};
