-- Who was forgotten, by the id alone: as the wallet told it, for the wallet after a restore of an older backup, and so
-- that an event which comes late does not bring anybody back.
CREATE TABLE forgotten_holders (
    customer_id uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    erased_at   timestamptz NOT NULL
);

GRANT SELECT, INSERT ON forgotten_holders TO ${app_role};
