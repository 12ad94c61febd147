-- Points: lots, what moved them, and what the ledger is to be told; earnings and what was refunded of them.

CREATE TABLE earnings (
    earning_id  uuid        PRIMARY KEY,
    -- The merchant at whose till it was; the programme's, or a partner.
    merchant_id uuid        NOT NULL,
    program_id  uuid        NOT NULL REFERENCES loyalty_programs,
    member_id   uuid        NOT NULL REFERENCES members,
    reference   text        NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    state       text        NOT NULL CHECK (state IN ('pending', 'earned')),
    -- Earnings/StoredPurchase.cs: lines with what each has earned and what came back, and what each rule gave.
    purchase    jsonb       NOT NULL,
    points      bigint      NOT NULL CHECK (points >= 0),
    taken_back  bigint      NOT NULL DEFAULT 0 CHECK (taken_back BETWEEN 0 AND points),
    occurred_at timestamptz NOT NULL,
    release_at  timestamptz,
    created_at  timestamptz NOT NULL,
    UNIQUE (merchant_id, reference),
    CHECK (state <> 'pending' OR release_at IS NOT NULL)
);
CREATE INDEX ix_earnings_member_id_occurred_at ON earnings (member_id, occurred_at, earning_id);
CREATE INDEX ix_earnings_program_id_occurred_at ON earnings (program_id, occurred_at, earning_id);
CREATE INDEX ix_earnings_release_at ON earnings (release_at) WHERE state = 'pending';

CREATE TABLE earning_refunds (
    refund_id   uuid        PRIMARY KEY,
    earning_id  uuid        NOT NULL REFERENCES earnings,
    merchant_id uuid        NOT NULL,
    reference   text        NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    amount      bigint      NOT NULL CHECK (amount > 0),
    points      bigint      NOT NULL CHECK (points >= 0),
    created_at  timestamptz NOT NULL,
    UNIQUE (merchant_id, reference)
);
CREATE INDEX ix_earning_refunds_earning_id ON earning_refunds (earning_id, refund_id);
CREATE TRIGGER earning_refunds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON earning_refunds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Points of one origin and one expiry.
CREATE TABLE member_lots (
    lot_id        uuid        PRIMARY KEY,
    member_id     uuid        NOT NULL REFERENCES members,
    source        text        NOT NULL,
    earning_id    uuid        REFERENCES earnings,
    -- Of points that came from another member: the lot that they were in.
    parent_lot_id uuid        REFERENCES member_lots,
    points        bigint      NOT NULL CHECK (points > 0),
    remaining     bigint      NOT NULL CHECK (remaining BETWEEN 0 AND points),
    -- What the remaining points are owed as, in minor units; funded: the part that a partner pays.
    value         bigint      NOT NULL CHECK (value >= 0),
    funded        bigint      NOT NULL CHECK (funded BETWEEN 0 AND value),
    funded_by     uuid,
    expires_at    timestamptz,
    created_at    timestamptz NOT NULL
);
CREATE INDEX ix_member_lots_member_id_lot_id ON member_lots (member_id, lot_id);
CREATE INDEX ix_member_lots_expires_at ON member_lots (expires_at) WHERE remaining > 0;

CREATE TABLE member_movements (
    movement_id    uuid        PRIMARY KEY,
    member_id      uuid        NOT NULL REFERENCES members,
    kind           text        NOT NULL,
    points         bigint      NOT NULL,
    pending        bigint      NOT NULL,
    owed           bigint      NOT NULL,
    -- Minor units that the books gained or lost as a liability.
    value          bigint      NOT NULL,
    earning_id     uuid        REFERENCES earnings,
    counterpart_id uuid        REFERENCES members,
    -- Of an earning: rules, their versions and what each gave.
    awards         jsonb,
    reason         text,
    effective_at   timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL
);
CREATE INDEX ix_member_movements_member_id_recorded_at ON member_movements (member_id, recorded_at, movement_id);
CREATE TRIGGER member_movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON member_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE movement_lots (
    movement_id uuid   NOT NULL REFERENCES member_movements,
    lot_id      uuid   NOT NULL REFERENCES member_lots,
    points      bigint NOT NULL CHECK (points <> 0),
    PRIMARY KEY (movement_id, lot_id)
);
CREATE TRIGGER movement_lots_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movement_lots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was decided here and the ledger has to book: written with the decision, driven until it is booked. The key of the
-- command is the movement's id and how often it was refused, so nothing is booked twice.
CREATE TABLE ledger_commands (
    movement_id     uuid        PRIMARY KEY REFERENCES member_movements,
    merchant_id     uuid        NOT NULL,
    program_id      uuid        NOT NULL REFERENCES loyalty_programs,
    kind            text        NOT NULL,
    -- Points/Booking.cs.
    bookings        jsonb       NOT NULL,
    refusals        integer     NOT NULL DEFAULT 0,
    transaction_id  uuid,
    effective_at    timestamptz NOT NULL,
    -- Null: booked.
    drive_after     timestamptz,
    drive_attempts  integer     NOT NULL DEFAULT 0,
    drive_error     text,
    needs_attention boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL,
    CHECK ((transaction_id IS NULL) = (drive_after IS NOT NULL))
);
CREATE INDEX ix_ledger_commands_drive_after ON ledger_commands (drive_after) WHERE drive_after IS NOT NULL;
CREATE INDEX ix_ledger_commands_needs_attention ON ledger_commands (created_at) WHERE needs_attention;

-- The accounts in the ledger by their names; an account never changes.
CREATE TABLE ledger_accounts (
    merchant_id uuid NOT NULL,
    asset       text NOT NULL,
    name        text NOT NULL,
    account_id  uuid NOT NULL,
    PRIMARY KEY (merchant_id, asset, name)
);

GRANT SELECT, INSERT ON earning_refunds, member_movements, movement_lots, ledger_accounts TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON earnings, member_lots, ledger_commands TO ${app_role};
