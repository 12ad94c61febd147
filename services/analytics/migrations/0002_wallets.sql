-- What holders' wallets hold, each by its newest event.
CREATE TABLE wallets (
    wallet_id   uuid   PRIMARY KEY,
    merchant_id uuid   NOT NULL,
    -- Of the event that its balances are from; older ones change nothing.
    sequence    bigint NOT NULL CHECK (sequence > 0)
);

CREATE INDEX ix_wallets_merchant_id ON wallets (merchant_id);

CREATE TABLE wallet_balances (
    wallet_id uuid    NOT NULL REFERENCES wallets,
    currency  char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- Minor units, before what open redemptions hold.
    posted    bigint  NOT NULL CHECK (posted > -9007199254740992 AND posted < 9007199254740992),
    PRIMARY KEY (wallet_id, currency)
);

GRANT SELECT, INSERT, UPDATE ON wallets TO ${app_role};
GRANT SELECT, INSERT, DELETE ON wallet_balances TO ${app_role};
