-- outside a transaction
-- The second lock (ADR 0058). What has no merchant of its own is that of what it belongs to. The log of proof is nobody's: it
-- has hashes, and findings are the operators'.
SELECT lock_rows('accounts', '${app_role}');

SELECT lock_rows('account_stripes', '${app_role}',
    'SELECT p.merchant_id FROM accounts p WHERE p.account_id = account_stripes.account_id');

SELECT lock_rows('holds', '${app_role}');

SELECT lock_rows('hold_items', '${app_role}',
    'SELECT p.merchant_id FROM holds p WHERE p.hold_id = hold_items.hold_id');

SELECT lock_rows('transactions', '${app_role}');

SELECT lock_rows('ledger_entries', '${app_role}',
    'SELECT p.merchant_id FROM accounts p WHERE p.account_id = ledger_entries.account_id');

SELECT lock_rows('reversal_lines', '${app_role}',
    'SELECT p.merchant_id FROM transactions p WHERE p.transaction_id = reversal_lines.transaction_id');

SELECT lock_rows('answers', '${app_role}');
