-- A decision and a refusal are there as a whole or not at all. What is there already is not looked through: no release has
-- written half of one.
SET LOCAL lock_timeout = '2s';

ALTER TABLE redemptions ADD CONSTRAINT redemptions_decided_check
    CHECK (decision IS NOT NULL OR (decision_amount IS NULL AND decided_by IS NULL)) NOT VALID;
ALTER TABLE redemptions ADD CONSTRAINT redemptions_refused_check
    CHECK (fault_code IS NOT NULL OR (fault_detail IS NULL AND fault_available IS NULL)) NOT VALID;
