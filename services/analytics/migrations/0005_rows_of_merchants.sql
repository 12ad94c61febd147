-- outside a transaction
-- The second lock (ADR 0058). What has no merchant of its own is that of what it belongs to.
SELECT lock_rows('facts', '${app_role}');

SELECT lock_rows('daily_totals', '${app_role}');

SELECT lock_rows('wallets', '${app_role}');

SELECT lock_rows('wallet_balances', '${app_role}',
    'SELECT p.merchant_id FROM wallets p WHERE p.wallet_id = wallet_balances.wallet_id');

SELECT lock_rows('value_entries', '${app_role}');

SELECT lock_rows('value_cells', '${app_role}');
