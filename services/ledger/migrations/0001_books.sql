-- The books. Money and points move only between accounts of one asset, in entries that cancel out.

-- Said by every append-only table: a correction is a new row beside the old one.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TABLE accounts (
    account_id  uuid        NOT NULL PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    asset       text        NOT NULL CHECK (asset ~ '^([A-Z]{3}|PTS:[a-z0-9_]{1,40})$'),
    -- available (posted - held) never goes below the floor, posted never above the ceiling; null: no such limit.
    floor       bigint      CHECK (floor <= 0),
    ceiling     bigint      CHECK (ceiling >= 0),
    status      text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'frozen', 'closed')),
    striped     boolean     NOT NULL DEFAULT false,
    posted      bigint      NOT NULL DEFAULT 0 CHECK (posted BETWEEN -9007199254740991 AND 9007199254740991),
    held        bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- The sequence of the account's last entry; without a gap.
    sequence    bigint      NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    -- Counts every change, holds and status too: the ETag.
    revision    bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    -- The time of the last change; an entry is never recorded before its predecessor, whatever the clock does.
    changed_at  timestamptz NOT NULL,
    -- What entries and hold items refer to, so that they can not name another asset than the account's.
    UNIQUE (account_id, asset),
    -- The floor and the ceiling, whatever the program thinks.
    CHECK (posted - held >= floor),
    CHECK (posted <= ceiling),
    CHECK (status <> 'closed' OR (posted = 0 AND held = 0)),
    -- A hot account is written on stripes that nobody else waits for, so nothing may depend on their sum.
    CHECK (NOT striped OR (floor IS NULL AND ceiling IS NULL AND posted = 0 AND held = 0 AND sequence = 0))
) WITH (fillfactor = 50); -- balances are updated in place (HOT): no index has a column that posting changes

-- One account a name: what makes opening idempotent.
CREATE UNIQUE INDEX ix_accounts_merchant_id_name_asset ON accounts (merchant_id, name, asset);
-- The list of a merchant's accounts, newest first.
CREATE INDEX ix_accounts_merchant_id_created_at ON accounts (merchant_id, created_at DESC, account_id DESC);

-- The parts of a striped account; each has entries and a sequence of its own. Stripe 0 is the account's own row above.
CREATE TABLE account_stripes (
    account_id uuid        NOT NULL REFERENCES accounts,
    stripe     smallint    NOT NULL CHECK (stripe BETWEEN 1 AND 16),
    posted     bigint      NOT NULL DEFAULT 0 CHECK (posted BETWEEN -9007199254740991 AND 9007199254740991),
    sequence   bigint      NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, stripe)
) WITH (fillfactor = 50);

CREATE TABLE holds (
    hold_id        uuid        NOT NULL PRIMARY KEY,
    merchant_id    uuid        NOT NULL,
    reference      text        NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    state          text        NOT NULL CHECK (state IN ('pending', 'captured', 'released', 'expired')),
    asset          text        NOT NULL,
    requested      bigint      NOT NULL CHECK (requested > 0),
    captured       bigint      NOT NULL DEFAULT 0 CHECK (captured >= 0),
    transaction_id uuid,
    metadata       jsonb,
    placed_at      timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    version        bigint      NOT NULL DEFAULT 1,
    CHECK ((state = 'captured') = (transaction_id IS NOT NULL)),
    CHECK ((state = 'captured') = (captured > 0))
) WITH (fillfactor = 80);

-- A reference names one hold of a merchant, for ever.
CREATE UNIQUE INDEX ix_holds_merchant_id_reference ON holds (merchant_id, reference);
-- What the sweeper reads: only what is pending, so it stays small.
CREATE INDEX ix_holds_expires_at ON holds (expires_at) WHERE state = 'pending';

CREATE TABLE hold_items (
    hold_id    uuid     NOT NULL REFERENCES holds,
    line       smallint NOT NULL CHECK (line >= 0),
    account_id uuid     NOT NULL REFERENCES accounts,
    held       bigint   NOT NULL CHECK (held > 0),
    captured   bigint   NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND held),
    PRIMARY KEY (hold_id, line)
);

-- Reconciliation adds up what is reserved of an account.
CREATE INDEX ix_hold_items_account_id ON hold_items (account_id);

CREATE TABLE transactions (
    transaction_id uuid        NOT NULL PRIMARY KEY,
    merchant_id    uuid        NOT NULL,
    reference      text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    kind           text        NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
    reverses       uuid        REFERENCES transactions CHECK (reverses <> transaction_id),
    hold_id        uuid        REFERENCES holds,
    metadata       jsonb,
    effective_at   timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    -- SHA-256 over the transaction in canonical JSON: the leaf that the log of proof is made of.
    leaf_hash      bytea       NOT NULL CHECK (octet_length(leaf_hash) = 32)
);

-- A reference names one transaction of a merchant, for ever; null: the caller gave none.
CREATE UNIQUE INDEX ix_transactions_merchant_id_reference ON transactions (merchant_id, reference);
-- The list of a merchant's transactions, newest first.
CREATE INDEX ix_transactions_merchant_id_recorded_at ON transactions (merchant_id, recorded_at DESC, transaction_id DESC);
-- The reversals of a transaction.
CREATE INDEX ix_transactions_reverses ON transactions (reverses) WHERE reverses IS NOT NULL;

-- A hold that was captured names its transaction; the two are written together in either order.
ALTER TABLE holds ADD FOREIGN KEY (transaction_id) REFERENCES transactions DEFERRABLE INITIALLY DEFERRED;

-- Two lines a posting: 2n debits the source (negative), 2n + 1 credits the destination (positive).
CREATE TABLE ledger_entries (
    transaction_id uuid        NOT NULL REFERENCES transactions,
    line           smallint    NOT NULL CHECK (line BETWEEN 0 AND 254),
    account_id     uuid        NOT NULL,
    stripe         smallint    NOT NULL DEFAULT 0 CHECK (stripe BETWEEN 0 AND 16),
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    asset          text        NOT NULL,
    amount         bigint      NOT NULL CHECK (amount <> 0 AND (amount < 0) = (line % 2 = 0)),
    balance_after  bigint      NOT NULL,
    effective_at   timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    -- The account's history in order: pages, statements, the balance at any recorded time.
    PRIMARY KEY (account_id, stripe, sequence),
    FOREIGN KEY (account_id, asset) REFERENCES accounts (account_id, asset)
);

-- The entries of a transaction; an entry's id is its transaction's id and its line.
CREATE UNIQUE INDEX ix_ledger_entries_transaction_id_line ON ledger_entries (transaction_id, line);
-- What counted at another time than it was recorded: the correction of a balance "as of". Small, for few are backdated.
CREATE INDEX ix_ledger_entries_account_id_effective_at ON ledger_entries (account_id, effective_at) INCLUDE (recorded_at, amount)
    WHERE effective_at <> recorded_at;
-- A striped account's history in the order of time; the others have their sequence for that.
CREATE INDEX ix_ledger_entries_account_id_recorded_at ON ledger_entries (account_id, recorded_at, stripe, sequence) WHERE stripe > 0;

-- Every statement that adds entries adds balanced ones.
CREATE FUNCTION require_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY transaction_id, asset HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'a transaction is not balanced' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION require_balance();

-- How much of each posting of a transaction has been taken back by reversals; made with the first of them.
CREATE TABLE reversal_lines (
    transaction_id uuid     NOT NULL REFERENCES transactions,
    posting        smallint NOT NULL CHECK (posting >= 0),
    amount         bigint   NOT NULL CHECK (amount > 0),
    -- Never more than the original, whatever the program thinks.
    reversed       bigint   NOT NULL CHECK (reversed BETWEEN 0 AND amount),
    PRIMARY KEY (transaction_id, posting)
);

-- The answer to each command, refusals included, written in the transaction of its effect and replayed byte for byte.
CREATE TABLE answers (
    -- The first half of SHA-256 over merchant, operation and idempotency key.
    answer_id   uuid        NOT NULL PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    fingerprint bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    status      smallint    NOT NULL,
    location    text,
    body        bytea       NOT NULL,
    created_at  timestamptz NOT NULL
);

-- The clean-up after 30 days reads by age; answers are added in that order, so a block range is enough.
CREATE INDEX ix_answers_created_at ON answers USING brin (created_at);

-- The last sequence of an account's stripe that was recorded by a time. Times never run backwards along a sequence, so
-- halving finds it: 20 steps for a million entries and no index of its own.
CREATE FUNCTION sequence_at(of_account uuid, of_stripe smallint, by_time timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low    bigint := 0;
    high   bigint := (SELECT max(sequence) FROM ledger_entries WHERE account_id = of_account AND stripe = of_stripe);
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT recorded_at FROM ledger_entries WHERE account_id = of_account AND stripe = of_stripe AND sequence = middle) <= by_time THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Posted of an account as it counted at one time (effective), as was known at another (recorded). What was recorded by the
-- earlier of the two is one row; the rest is the entries whose two times differ, which are few and have an index.
CREATE FUNCTION posted_at(of_account uuid, as_of timestamptz, known_at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT COALESCE((SELECT sum(e.balance_after)
                       FROM generate_series(0, 16) AS stripe
                       JOIN ledger_entries e ON e.account_id = of_account AND e.stripe = stripe.stripe
                                     AND e.sequence = sequence_at(of_account, stripe.stripe::smallint, LEAST(as_of, known_at))), 0)::bigint
         + COALESCE((SELECT sum(CASE WHEN recorded_at > LEAST(as_of, known_at) THEN amount ELSE -amount END)
                       FROM ledger_entries
                      WHERE account_id = of_account
                        AND effective_at <> recorded_at
                        AND recorded_at <= known_at
                        AND (effective_at <= as_of) = (recorded_at > LEAST(as_of, known_at))), 0)::bigint
$$;

CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The service may add and never change; of an account and a hold it may change what moves and never who they are.
GRANT SELECT, INSERT ON accounts, account_stripes, holds, hold_items, transactions, ledger_entries, reversal_lines TO ${app_role};
GRANT UPDATE (floor, ceiling, status, posted, held, sequence, revision, changed_at) ON accounts TO ${app_role};
GRANT UPDATE (posted, sequence, changed_at) ON account_stripes TO ${app_role};
GRANT UPDATE (state, captured, transaction_id, expires_at, version) ON holds TO ${app_role};
GRANT UPDATE (captured) ON hold_items TO ${app_role};
GRANT UPDATE (reversed) ON reversal_lines TO ${app_role};
GRANT SELECT, INSERT, DELETE ON answers TO ${app_role};
