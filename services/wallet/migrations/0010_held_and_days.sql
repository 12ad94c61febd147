-- What open redemptions hold of cards, and what was on each account day by day.
SET LOCAL lock_timeout = '2s';

-- Beside balance_snapshots, for either may be told first. The ledger decides; this is a copy that may lag.
CREATE TABLE held_snapshots (
    account_id   uuid        PRIMARY KEY,
    merchant_id  uuid        NOT NULL,
    gift_card_id uuid        NOT NULL,
    currency     char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    held         bigint      NOT NULL CHECK (held >= 0),
    -- The account's revision: it counts entries and changes of what is held.
    sequence     bigint      NOT NULL CHECK (sequence > 0),
    updated_at   timestamptz NOT NULL
);
CREATE INDEX ix_held_snapshots_gift_card_id ON held_snapshots (gift_card_id);

-- What was on an account when a day (UTC) ended on which it changed; on all days after it, until the next.
CREATE TABLE balance_days (
    account_id   uuid    NOT NULL,
    day          date    NOT NULL,
    merchant_id  uuid    NOT NULL,
    gift_card_id uuid    NOT NULL,
    currency     char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    posted       bigint  NOT NULL,
    -- Of the day's last entry that was told; entries come in any order.
    sequence     bigint  NOT NULL CHECK (sequence > 0),
    PRIMARY KEY (account_id, day)
);
CREATE INDEX ix_balance_days_gift_card_id ON balance_days (gift_card_id);

-- The days begin with what is known now.
INSERT INTO balance_days (account_id, day, merchant_id, gift_card_id, currency, posted, sequence)
SELECT account_id, (updated_at AT TIME ZONE 'UTC')::date, merchant_id, gift_card_id, currency, posted, sequence
  FROM balance_snapshots;

ALTER TABLE reconciliation_findings ADD COLUMN snapshot_held bigint;
ALTER TABLE reconciliation_findings ADD COLUMN ledger_held bigint;

GRANT SELECT, INSERT, UPDATE ON held_snapshots, balance_days TO ${app_role};
