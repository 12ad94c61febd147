-- Points that pay in redemptions: what giftcard has reserved, what of it was spent, and what came back.
SET LOCAL lock_timeout = '2s';

ALTER TABLE members ADD COLUMN held bigint NOT NULL DEFAULT 0 CHECK (held >= 0);
ALTER TABLE member_movements ADD COLUMN held bigint NOT NULL DEFAULT 0;
ALTER TABLE member_movements ADD COLUMN redemption_id uuid;

CREATE TABLE point_holds (
    redemption_id uuid        PRIMARY KEY,
    merchant_id   uuid        NOT NULL,
    -- Null: the redemption was settled before it had reserved anything, and never will.
    member_id     uuid        REFERENCES members,
    points        bigint      NOT NULL CHECK (points >= 0),
    -- What they pay, in minor units of the programme's currency.
    pays          bigint      NOT NULL CHECK (pays >= 0),
    -- Points/HeldPoints.cs: of which lots, with the money that went with them.
    lots          jsonb       NOT NULL,
    -- Of what they pay, what the redemption took; null: it is held.
    captured      bigint      CHECK (captured BETWEEN 0 AND pays),
    -- Of what they pay, what was not taken or was refunded, and the points that came back with it.
    returned      bigint      NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND pays),
    points_back   bigint      NOT NULL DEFAULT 0 CHECK (points_back BETWEEN 0 AND points),
    movement_id   uuid        REFERENCES member_movements,
    created_at    timestamptz NOT NULL,
    CHECK (member_id IS NOT NULL OR (points = 0 AND captured = 0)),
    CHECK (captured IS NOT NULL OR returned = 0)
);
CREATE INDEX ix_point_holds_member_id ON point_holds (member_id);

CREATE TABLE point_refunds (
    refund_id     uuid        PRIMARY KEY,
    redemption_id uuid        NOT NULL REFERENCES point_holds,
    amount        bigint      NOT NULL CHECK (amount > 0),
    points        bigint      NOT NULL CHECK (points >= 0),
    created_at    timestamptz NOT NULL
);
CREATE INDEX ix_point_refunds_redemption_id ON point_refunds (redemption_id);
CREATE TRIGGER point_refunds_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON point_refunds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON point_refunds TO ${app_role};
GRANT SELECT, INSERT, UPDATE ON point_holds TO ${app_role};
