-- Where a fact happened and which programmes its amount is of; facts of before say neither. What expired is a fact as well.
SET LOCAL lock_timeout = '2s';

ALTER TABLE facts ADD COLUMN location_id uuid;
ALTER TABLE facts ADD COLUMN terminal_id uuid;
-- {"programme": amount}; what the amounts leave of the fact's is no programme's, as points are.
ALTER TABLE facts ADD COLUMN parts jsonb;
ALTER TABLE facts DROP CONSTRAINT facts_kind_check;
ALTER TABLE facts ADD CONSTRAINT facts_kind_check
    CHECK (kind IN ('sold', 'loaded', 'redeemed', 'refunded', 'posted', 'expired')) NOT VALID;
