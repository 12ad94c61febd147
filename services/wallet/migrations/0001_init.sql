-- Customers and their wallets, and what the ledger last said about the accounts in them.

CREATE TABLE customers (
    customer_id   uuid        PRIMARY KEY,
    merchant_id   uuid        NOT NULL,
    -- Keyed HMAC of merchant and normalised address: finds a person again, tells nothing, differs between merchants.
    email_lookup  bytea       NOT NULL CHECK (octet_length(email_lookup) = 32),
    -- Name, e-mail and phone under the subject's key: nonce, ciphertext, tag.
    personal_data bytea       NOT NULL CHECK (octet_length(personal_data) BETWEEN 29 AND 4096),
    locale        text        NOT NULL CHECK (locale IN ('en', 'fr')),
    version       bigint      NOT NULL CHECK (version > 0),
    created_at    timestamptz NOT NULL,
    UNIQUE (merchant_id, email_lookup)
);

-- One key per person, wrapped by the service's key. Deleting the row makes that person's data unreadable for ever, in
-- every backup that was made without the keys.
CREATE TABLE subject_keys (
    customer_id uuid        PRIMARY KEY REFERENCES customers,
    wrapped_key bytea       NOT NULL CHECK (octet_length(wrapped_key) = 60),
    created_at  timestamptz NOT NULL
);

CREATE TABLE wallets (
    wallet_id   uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    customer_id uuid        NOT NULL UNIQUE REFERENCES customers,
    -- Counts the balance changes that were published; the sequence of wallet.balance-updated.v1.
    version     bigint      NOT NULL CHECK (version >= 0),
    created_at  timestamptz NOT NULL
);

-- The cards of the merchants as their events tell them; a card without a customer is in no wallet.
CREATE TABLE wallet_cards (
    gift_card_id uuid        PRIMARY KEY,
    merchant_id  uuid        NOT NULL,
    wallet_id    uuid        REFERENCES wallets,
    program_id   uuid        NOT NULL,
    last4        text        NOT NULL CHECK (char_length(last4) = 4),
    currency     char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status       text        NOT NULL CHECK (status IN ('pending', 'active', 'blocked', 'expired', 'closed', 'replaced')),
    -- Sequence of the event that the status was taken from; older events do not change it. 0: no event told it yet.
    sequence     bigint      NOT NULL CHECK (sequence >= 0),
    updated_at   timestamptz NOT NULL
);

-- The cards of a wallet.
CREATE INDEX ix_wallet_cards_wallet_id ON wallet_cards (wallet_id) WHERE wallet_id IS NOT NULL;

-- The newest known balance of each account. The ledger decides; this is a copy that may lag, and what open redemptions
-- hold of it is the ledger's alone.
CREATE TABLE balance_snapshots (
    account_id   uuid        PRIMARY KEY,
    merchant_id  uuid        NOT NULL,
    -- The card that the account belongs to; its row may come later, events have no order.
    gift_card_id uuid        NOT NULL,
    currency     char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    posted       bigint      NOT NULL,
    sequence     bigint      NOT NULL CHECK (sequence > 0),
    updated_at   timestamptz NOT NULL
);

-- The reconciliation asks the ledger merchant by merchant, page by page.
CREATE INDEX ix_balance_snapshots_merchant_id_account_id ON balance_snapshots (merchant_id, account_id);

-- A card's accounts (paid and promotional value).
CREATE INDEX ix_balance_snapshots_gift_card_id ON balance_snapshots (gift_card_id);

CREATE TABLE reconciliation_runs (
    run_id           uuid        PRIMARY KEY,
    started_at       timestamptz NOT NULL,
    finished_at      timestamptz NOT NULL CHECK (finished_at >= started_at),
    accounts_checked bigint      NOT NULL CHECK (accounts_checked >= 0),
    findings_count   bigint      NOT NULL CHECK (findings_count >= 0)
);

CREATE TABLE reconciliation_findings (
    run_id            uuid        NOT NULL REFERENCES reconciliation_runs,
    account_id        uuid        NOT NULL,
    merchant_id       uuid        NOT NULL,
    kind              text        NOT NULL CHECK (kind IN ('ahead', 'behind', 'mismatch', 'unknown_account')),
    snapshot_sequence bigint      NOT NULL,
    snapshot_posted   bigint      NOT NULL,
    ledger_sequence   bigint,
    ledger_posted     bigint,
    PRIMARY KEY (run_id, account_id)
);

GRANT SELECT, INSERT ON subject_keys TO ${app_role};
GRANT SELECT, INSERT ON customers TO ${app_role};
GRANT SELECT, INSERT, UPDATE (version) ON wallets TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON wallet_cards, balance_snapshots TO ${app_role};
-- Findings are evidence: written once, never changed.
GRANT SELECT, INSERT ON reconciliation_runs, reconciliation_findings TO ${app_role};
