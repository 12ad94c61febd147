-- outside a transaction
-- As before, said as everywhere (ADR 0058): who works for all merchants says so. And the audit, whose chains are the merchants'.
SELECT lock_rows('merchants', '${app_role}');

SELECT lock_rows('merchant_versions', '${app_role}');

SELECT lock_rows('api_keys', '${app_role}');

SELECT lock_rows('locations', '${app_role}');

SELECT lock_rows('terminals', '${app_role}');

SELECT lock_rows('team_members', '${app_role}');

SELECT lock_rows('audit_chains', '${app_role}',
    'chain');

SELECT lock_rows('audit_entries', '${app_role}',
    'chain');
