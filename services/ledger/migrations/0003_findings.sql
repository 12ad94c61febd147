-- What the reconciliation found. Nothing is repaired silently: a finding stays until an operator says what it was.
CREATE TABLE reconciliation_findings (
    finding_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text        NOT NULL CHECK (kind IN ('balance', 'held', 'sequence', 'asset', 'overdue_hold', 'not_in_log')),
    -- What it is about: an account (of a striped one "acc_…/stripe"), an asset, a hold, a transaction.
    subject         text        NOT NULL,
    expected        bigint      NOT NULL,
    actual          bigint      NOT NULL,
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    reason          text        CHECK (char_length(reason) BETWEEN 1 AND 500),
    CHECK (last_seen_at >= first_seen_at),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((acknowledged_at IS NULL) = (reason IS NULL))
);

-- The same drift, seen again, is one finding until somebody acknowledges it; and what is open is counted and listed.
CREATE UNIQUE INDEX ix_reconciliation_findings_kind_subject ON reconciliation_findings (kind, subject) WHERE acknowledged_at IS NULL;

-- What was seen is never taken back or rewritten; it is seen again, and it is acknowledged.
GRANT SELECT, INSERT ON reconciliation_findings TO ${app_role};
GRANT UPDATE (expected, actual, last_seen_at, acknowledged_at, acknowledged_by, reason) ON reconciliation_findings TO ${app_role};
