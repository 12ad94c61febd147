-- What of a redemption no card could take back when the rest of it was refunded, and why: the answer's list, as it was given.
ALTER TABLE redemption_refunds ADD COLUMN not_refunded jsonb;
