-- A person is forgotten: what is kept of that, and what stands against it.
ALTER TABLE customers ADD COLUMN erased_at timestamptz;

-- Whoever has one is not forgotten before it is lifted. Why lies under the person's key.
CREATE TABLE legal_holds (
    hold_id     uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL REFERENCES customers,
    merchant_id uuid        NOT NULL,
    -- Who may lift it.
    set_by      text        NOT NULL CHECK (set_by IN ('merchant', 'operator')),
    -- The key, the person or the operator.
    actor       text        NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 200),
    reason      bytea       CHECK (octet_length(reason) BETWEEN 29 AND 4096),
    set_at      timestamptz NOT NULL,
    lifted_by   text        CHECK (char_length(lifted_by) BETWEEN 1 AND 200),
    lift_reason bytea       CHECK (octet_length(lift_reason) BETWEEN 29 AND 4096),
    lifted_at   timestamptz,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
-- One of each at a time.
CREATE UNIQUE INDEX ix_legal_holds_customer_id_set_by ON legal_holds (customer_id, set_by) WHERE lifted_at IS NULL;
CREATE INDEX ix_legal_holds_customer_id ON legal_holds (customer_id, set_at);

-- Who was forgotten, by the id alone. It outlives the customer's row: after a restore of an older backup, what the other
-- services and the operators' copy have of this list is done again (Erasure/ErasureReconciliation.cs).
CREATE TABLE erasures (
    customer_id  uuid        PRIMARY KEY,
    merchant_id  uuid        NOT NULL,
    requested_by text        NOT NULL CHECK (char_length(requested_by) BETWEEN 1 AND 200),
    erased_at    timestamptz NOT NULL
);
CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON erasures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT UPDATE (erased_at) ON customers TO ${app_role};
GRANT SELECT, INSERT, UPDATE (customer_id, reason, lifted_by, lift_reason, lifted_at) ON legal_holds TO ${app_role};
GRANT SELECT, INSERT ON erasures TO ${app_role};
