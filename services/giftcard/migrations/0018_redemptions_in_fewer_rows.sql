-- A redemption in fewer rows, and rows that are changed where they lie. Only the catalogue changes; the previous release goes
-- on with its own rows beside.
SET LOCAL lock_timeout = '2s';

-- The answer beside the claim on its key: one row, and it goes as one. Answers of before are in idempotency_keys.
ALTER TABLE idempotency_claims ADD COLUMN status integer;
ALTER TABLE idempotency_claims ADD COLUMN location text;
ALTER TABLE idempotency_claims ADD COLUMN etag text;
ALTER TABLE idempotency_claims ADD COLUMN body bytea;
ALTER TABLE idempotency_claims ADD CONSTRAINT idempotency_claims_answer_check
    CHECK ((status IS NULL) = (body IS NULL) AND status BETWEEN 200 AND 599) NOT VALID;
-- A claim is some 150 bytes, its answer a thousand more: pages are filled so far that the answers find room in them (HOT).
ALTER TABLE idempotency_claims SET (fillfactor = 15);
GRANT UPDATE (status, location, etag, body) ON idempotency_claims TO ${app_role};

-- What a leg gave is written over it once, and no index knows of that.
ALTER TABLE redemption_legs SET (fillfactor = 50);

-- How often the run's one look at SQL was taken: a row of its own only for the other steps.
ALTER TABLE redemption_runs ADD COLUMN advances integer NOT NULL DEFAULT 0;
-- Nobody looks for an instance: its name is made of the key.
ALTER TABLE redemption_runs DROP CONSTRAINT redemption_runs_instance_id_key;

-- None of these is ever deleted, and all are written by one transaction with what they belong to or after it was locked: the
-- checks only lock, and so write, the rows of the redemption and of its cards once more.
ALTER TABLE redemption_legs DROP CONSTRAINT redemption_legs_redemption_id_fkey;
ALTER TABLE redemption_legs DROP CONSTRAINT redemption_legs_gift_card_id_fkey;
ALTER TABLE redemption_legs DROP CONSTRAINT redemption_legs_lot_id_fkey;
ALTER TABLE redemption_events DROP CONSTRAINT redemption_events_redemption_id_fkey;
ALTER TABLE redemption_runs DROP CONSTRAINT redemption_runs_redemption_id_fkey;
ALTER TABLE gift_card_activities DROP CONSTRAINT gift_card_activities_gift_card_id_fkey;
