-- How often and for how much a card or a terminal redeemed within an hour or a day, for merchants that limit it.
CREATE TABLE velocity_counters (
    merchant_id uuid        NOT NULL,
    -- A card's or a terminal's id.
    subject_id  uuid        NOT NULL,
    within      text        NOT NULL CHECK (within IN ('hour', 'day')),
    since       timestamptz NOT NULL,
    currency    char(3)     NOT NULL,
    redemptions integer     NOT NULL CHECK (redemptions >= 0),
    amount      bigint      NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (merchant_id, subject_id, within, since, currency)
);

-- What is over is deleted.
CREATE INDEX ix_velocity_counters_since ON velocity_counters (since);

GRANT SELECT, INSERT, UPDATE, DELETE ON velocity_counters TO ${app_role};
