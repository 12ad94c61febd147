-- The second lock on rows (ADR 0058), for every table that is a merchant's: lock_rows(table, role, owners). The session says
-- for whom it works, in the setting localplus.merchant: a merchant's id, "all", or "none". It sees and writes the rows that one
-- of the owners names: columns, or a parent's row, which has a lock of its own. The release before says nothing and sees all;
-- sessions of this one begin with "none". What works for all is found out once a statement, and pays nothing for the owners.
-- May be run again.
CREATE FUNCTION lock_rows(of_table text, app_role text, VARIADIC owners text[] DEFAULT '{merchant_id}') RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    named text := (SELECT string_agg(format('(%s)::text', owner), ', ') FROM unnest(owners) AS owner);
BEGIN
    PERFORM when_unlocked(format(
        'DROP POLICY IF EXISTS rows_of_one_merchant ON %1$I;
         CREATE POLICY rows_of_one_merchant ON %1$I TO %2$s
             USING ((SELECT coalesce(current_setting(''localplus.merchant'', true), '''') IN ('''', ''all''))
                    OR (SELECT current_setting(''localplus.merchant'', true)) IN (%3$s));
         ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY',
        of_table, app_role, named));
END $$;

REVOKE ALL ON FUNCTION lock_rows FROM PUBLIC;

-- Whoever repeats a request gets the answer of its own merchant.
SELECT lock_rows('idempotency_keys', '${app_role}');
SELECT lock_rows('sealed_answers', '${app_role}');
