-- What points buy: rewards with a stock and a bound a member, and the vouchers that were given for them.

CREATE TABLE loyalty_rewards (
    reward_id   uuid        PRIMARY KEY,
    program_id  uuid        NOT NULL REFERENCES loyalty_programs,
    merchant_id uuid        NOT NULL,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    state       text        NOT NULL CHECK (state IN ('active', 'closed')),
    points      bigint      NOT NULL CHECK (points > 0),
    -- How many there are; null: as many as are wanted.
    stock       integer     CHECK (stock > 0),
    given       integer     NOT NULL DEFAULT 0 CHECK (given BETWEEN 0 AND stock),
    per_member  integer     CHECK (per_member > 0),
    version     bigint      NOT NULL CHECK (version > 0),
    created_at  timestamptz NOT NULL
);
CREATE INDEX ix_loyalty_rewards_program_id_created_at ON loyalty_rewards (program_id, created_at, reward_id);

CREATE TABLE loyalty_vouchers (
    voucher_id  uuid        PRIMARY KEY,
    reward_id   uuid        NOT NULL REFERENCES loyalty_rewards,
    program_id  uuid        NOT NULL REFERENCES loyalty_programs,
    member_id   uuid        NOT NULL REFERENCES members,
    movement_id uuid        NOT NULL REFERENCES member_movements,
    -- Keyed hash of the code, which is shown once.
    code_lookup bytea       NOT NULL CHECK (octet_length(code_lookup) = 32),
    points      bigint      NOT NULL,
    used_by     uuid,
    used_at     timestamptz,
    created_at  timestamptz NOT NULL,
    UNIQUE (program_id, code_lookup),
    CHECK ((used_by IS NULL) = (used_at IS NULL))
);
CREATE INDEX ix_loyalty_vouchers_reward_id_member_id ON loyalty_vouchers (reward_id, member_id);

GRANT SELECT, INSERT, UPDATE ON loyalty_rewards, loyalty_vouchers TO ${app_role};
