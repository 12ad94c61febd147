-- From where a key may be used, and when and from where it was last.
ALTER TABLE api_keys
    ADD COLUMN allowed_networks text[] NOT NULL DEFAULT '{}' CHECK (cardinality(allowed_networks) <= 20),
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN last_used_from text CHECK (char_length(last_used_from) <= 45);

GRANT UPDATE (last_used_at, last_used_from) ON api_keys TO ${app_role};
