-- Which rules a programme has is counted, so that what was read of them before says whether it still holds.
SET LOCAL lock_timeout = '2s';

ALTER TABLE loyalty_programs ADD COLUMN rules_version bigint NOT NULL DEFAULT 0 CHECK (rules_version >= 0);

-- Also for a release that does not know the column. What a campaign has spent is no change of its rule.
CREATE FUNCTION count_rules_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE loyalty_programs SET rules_version = rules_version + 1 WHERE program_id = NEW.program_id;
    RETURN NULL;
END $$;
CREATE TRIGGER earning_rules_count_version AFTER INSERT OR UPDATE OF version ON earning_rules
    FOR EACH ROW EXECUTE FUNCTION count_rules_version();
