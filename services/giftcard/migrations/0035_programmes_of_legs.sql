-- Which programme pays: of another issuer's card the merchant can not look it up. Legs of before say nothing.
SET LOCAL lock_timeout = '2s';

ALTER TABLE redemption_legs ADD COLUMN program_id uuid;
