-- How a merchant wants things done; each service reads its own words of it out of the verdict on a key.
ALTER TABLE merchants
    ADD COLUMN settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object');

GRANT UPDATE (settings) ON merchants TO ${app_role};
