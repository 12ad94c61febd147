-- outside a transaction
-- The second lock (ADR 0058). A programme's members, points and rules are its issuer's alone: what a partner does with them
-- works for all. What has no merchant of its own is that of what it belongs to.
SELECT lock_rows('customers', '${app_role}');

SELECT lock_rows('subject_keys', '${app_role}',
    'SELECT p.merchant_id FROM customers p WHERE p.customer_id = subject_keys.customer_id');

SELECT lock_rows('customer_consents', '${app_role}');

SELECT lock_rows('legal_holds', '${app_role}');

SELECT lock_rows('erasures', '${app_role}');

SELECT lock_rows('wallets', '${app_role}');

SELECT lock_rows('wallet_cards', '${app_role}');

SELECT lock_rows('balance_snapshots', '${app_role}');

SELECT lock_rows('reconciliation_findings', '${app_role}');

SELECT lock_rows('loyalty_programs', '${app_role}');

SELECT lock_rows('loyalty_program_versions', '${app_role}',
    'SELECT p.merchant_id FROM loyalty_programs p WHERE p.program_id = loyalty_program_versions.program_id');

SELECT lock_rows('loyalty_partners', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM loyalty_programs p WHERE p.program_id = loyalty_partners.program_id');

SELECT lock_rows('loyalty_partner_decisions', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM loyalty_programs p WHERE p.program_id = loyalty_partner_decisions.program_id');

SELECT lock_rows('members', '${app_role}');

SELECT lock_rows('earning_rules', '${app_role}');

SELECT lock_rows('earning_rule_versions', '${app_role}',
    'SELECT p.merchant_id FROM earning_rules p WHERE p.rule_id = earning_rule_versions.rule_id');

SELECT lock_rows('earning_rule_uses', '${app_role}',
    'SELECT p.merchant_id FROM members p WHERE p.member_id = earning_rule_uses.member_id');

SELECT lock_rows('earnings', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM loyalty_programs p WHERE p.program_id = earnings.program_id');

SELECT lock_rows('earning_refunds', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM earnings e JOIN loyalty_programs p ON p.program_id = e.program_id
      WHERE e.earning_id = earning_refunds.earning_id');

SELECT lock_rows('member_lots', '${app_role}',
    'SELECT p.merchant_id FROM members p WHERE p.member_id = member_lots.member_id');

SELECT lock_rows('member_movements', '${app_role}',
    'SELECT p.merchant_id FROM members p WHERE p.member_id = member_movements.member_id');

SELECT lock_rows('movement_lots', '${app_role}',
    'SELECT p.merchant_id FROM member_movements v JOIN members p ON p.member_id = v.member_id
      WHERE v.movement_id = movement_lots.movement_id');

SELECT lock_rows('ledger_commands', '${app_role}');

SELECT lock_rows('ledger_accounts', '${app_role}');

SELECT lock_rows('loyalty_rewards', '${app_role}');

SELECT lock_rows('loyalty_vouchers', '${app_role}',
    'SELECT p.merchant_id FROM loyalty_programs p WHERE p.program_id = loyalty_vouchers.program_id');

SELECT lock_rows('point_holds', '${app_role}');

SELECT lock_rows('point_refunds', '${app_role}',
    'SELECT p.merchant_id FROM point_holds p WHERE p.redemption_id = point_refunds.redemption_id');

SELECT lock_rows('held_snapshots', '${app_role}');

SELECT lock_rows('balance_days', '${app_role}');

SELECT lock_rows('member_pools', '${app_role}',
    'SELECT p.merchant_id FROM loyalty_programs p WHERE p.program_id = member_pools.program_id');

SELECT lock_rows('member_pool_members', '${app_role}',
    'SELECT p.merchant_id FROM members p WHERE p.member_id = member_pool_members.member_id');
