-- The second lock: a session that says for which merchant it works sees and writes that merchant's rows alone, whatever
-- its statement asks for. One that says none sees all: operators, other services, the release before.
ALTER TABLE merchants ENABLE ROW LEVEL SECURITY;
ALTER TABLE merchant_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE locations ENABLE ROW LEVEL SECURITY;
ALTER TABLE terminals ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;

CREATE POLICY rows_of_one_merchant ON merchants TO ${app_role}
    USING (coalesce(current_setting('localplus.merchant', true), '') IN ('', merchant_id::text));
CREATE POLICY rows_of_one_merchant ON merchant_versions TO ${app_role}
    USING (coalesce(current_setting('localplus.merchant', true), '') IN ('', merchant_id::text));
CREATE POLICY rows_of_one_merchant ON api_keys TO ${app_role}
    USING (coalesce(current_setting('localplus.merchant', true), '') IN ('', merchant_id::text));
CREATE POLICY rows_of_one_merchant ON locations TO ${app_role}
    USING (coalesce(current_setting('localplus.merchant', true), '') IN ('', merchant_id::text));
CREATE POLICY rows_of_one_merchant ON terminals TO ${app_role}
    USING (coalesce(current_setting('localplus.merchant', true), '') IN ('', merchant_id::text));
CREATE POLICY rows_of_one_merchant ON team_members TO ${app_role}
    USING (coalesce(current_setting('localplus.merchant', true), '') IN ('', merchant_id::text));
