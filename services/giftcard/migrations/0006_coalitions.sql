-- Coalitions: what a merchant that takes another's cards leaves to the issuer, and what is owed between the two.

-- Where the commission goes; null where none is due (the issuer's own tills).
ALTER TABLE redemptions ADD COLUMN commission_account_id uuid;
ALTER TABLE redemption_legs ADD COLUMN commission_basis_points integer NOT NULL DEFAULT 0
    CHECK (commission_basis_points BETWEEN 0 AND 10000);
-- What of the commission goes back with a refund.
ALTER TABLE redemption_refunds ADD COLUMN commission bigint NOT NULL DEFAULT 0 CHECK (commission BETWEEN 0 AND amount);

-- A hold is found by its own id as well; immediate redemptions have none that anybody asks for.
CREATE INDEX ix_redemptions_hold_id ON redemptions (hold_id) WHERE mode = 'two_phase';

-- What moved between an issuer and another merchant of its coalition, in the transaction that wrote it down here: the sum of
-- one pair is the balance of the ledger's account payable:mrc_… in the issuer's books.
CREATE TABLE settlement_entries (
    entry_id       uuid        NOT NULL PRIMARY KEY,
    issuer_id      uuid        NOT NULL,
    merchant_id    uuid        NOT NULL CHECK (merchant_id <> issuer_id),
    kind           text        NOT NULL CHECK (kind IN ('capture', 'refund')),
    redemption_id  uuid        NOT NULL REFERENCES redemptions,
    refund_id      uuid        REFERENCES redemption_refunds,
    amount         bigint      NOT NULL CHECK (amount > 0),
    commission     bigint      NOT NULL CHECK (commission BETWEEN 0 AND amount),
    currency       char(3)     NOT NULL,
    transaction_id uuid        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    CHECK ((kind = 'refund') = (refund_id IS NOT NULL))
);
CREATE INDEX ix_settlement_entries_issuer_id ON settlement_entries (issuer_id, occurred_at);
CREATE INDEX ix_settlement_entries_merchant_id ON settlement_entries (merchant_id, occurred_at);
CREATE TRIGGER settlement_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlement_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON settlement_entries TO ${app_role};
