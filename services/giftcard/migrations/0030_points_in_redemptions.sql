-- A member's points beside the cards of a redemption: who they are of, what was reserved in the wallet and what was taken of it.
SET LOCAL lock_timeout = '2s';

ALTER TABLE redemptions ADD COLUMN member_id uuid;
ALTER TABLE redemptions ADD COLUMN points_program_id uuid;
ALTER TABLE redemptions ADD COLUMN points_live boolean;
-- Before which of the legs they pay.
ALTER TABLE redemptions ADD COLUMN points_position integer;
ALTER TABLE redemptions ADD COLUMN max_points bigint;
ALTER TABLE redemptions ADD COLUMN points_max_amount bigint;
ALTER TABLE redemptions ADD COLUMN points_account_id uuid;
-- What the wallet has reserved, what that pays, and what of it was held, captured and refunded, all in minor units but the first.
ALTER TABLE redemptions ADD COLUMN points bigint;
ALTER TABLE redemptions ADD COLUMN points_pays bigint;
ALTER TABLE redemptions ADD COLUMN points_held bigint;
ALTER TABLE redemptions ADD COLUMN points_captured bigint;
ALTER TABLE redemptions ADD COLUMN points_refunded bigint;
ALTER TABLE redemptions ADD CONSTRAINT redemptions_points_check
    CHECK (member_id IS NULL
           OR (points_program_id IS NOT NULL AND points_live IS NOT NULL AND points_position >= 0
               AND points_max_amount >= 0 AND points >= 0 AND points_held BETWEEN 0 AND points_pays
               AND points_captured BETWEEN 0 AND points_pays AND points_refunded BETWEEN 0 AND points_captured)) NOT VALID;

-- Of a refund what goes back to the points' account, and how many points came back for it.
ALTER TABLE redemption_refunds ADD COLUMN points_amount bigint NOT NULL DEFAULT 0 CHECK (points_amount >= 0);
ALTER TABLE redemption_refunds ADD COLUMN points bigint NOT NULL DEFAULT 0 CHECK (points >= 0);

-- What the wallet has still to be told of redemptions that are settled: written with their end.
CREATE TABLE points_settlements (
    redemption_id   uuid        PRIMARY KEY,
    merchant_id     uuid        NOT NULL,
    captured        bigint      NOT NULL CHECK (captured >= 0),
    -- Null: it knows.
    drive_after     timestamptz,
    drive_attempts  integer     NOT NULL DEFAULT 0,
    drive_error     text,
    needs_attention boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL
);
CREATE INDEX ix_points_settlements_drive_after ON points_settlements (drive_after) WHERE drive_after IS NOT NULL;
CREATE INDEX ix_points_settlements_needs_attention ON points_settlements (created_at) WHERE needs_attention;

GRANT SELECT, INSERT, UPDATE ON points_settlements TO ${app_role};
