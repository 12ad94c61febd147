-- What an issuer and another merchant of its coalition owed each other in a month, as it was closed: one opens with what the one
-- before closed with, and what was written down late is in the next.
CREATE TABLE settlement_statements (
    statement_id uuid        NOT NULL PRIMARY KEY,
    issuer_id    uuid        NOT NULL,
    merchant_id  uuid        NOT NULL CHECK (merchant_id <> issuer_id),
    currency     char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    month        date        NOT NULL CHECK (extract(day FROM month) = 1),
    opening      bigint      NOT NULL,
    captured     bigint      NOT NULL,
    refunded     bigint      NOT NULL,
    commission   bigint      NOT NULL,
    redemptions  bigint      NOT NULL,
    refunds      bigint      NOT NULL,
    -- What of it was on which day of the month; the rest is of months that had been closed.
    days         jsonb       NOT NULL,
    closed_at    timestamptz NOT NULL,
    UNIQUE (issuer_id, merchant_id, currency, month)
);
CREATE INDEX ix_settlement_statements_merchant_id ON settlement_statements (merchant_id, month);
CREATE TRIGGER settlement_statements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_statements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON settlement_statements TO ${app_role};

SELECT lock_rows('settlement_statements', '${app_role}',
    'merchant_id',
    'issuer_id');
