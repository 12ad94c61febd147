-- outside a transaction
-- The second lock (ADR 0058). A card of a coalition is its issuer's alone: what another merchant does with it works for all.
-- What has no merchant of its own is that of what it belongs to.
SELECT lock_rows('idempotency_claims', '${app_role}');

SELECT lock_rows('programs', '${app_role}');

SELECT lock_rows('program_acceptances', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM programs p WHERE p.program_id = program_acceptances.program_id');

SELECT lock_rows('acceptance_decisions', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM programs p WHERE p.program_id = acceptance_decisions.program_id');

SELECT lock_rows('program_locations', '${app_role}',
    'SELECT p.merchant_id FROM programs p WHERE p.program_id = program_locations.program_id');

SELECT lock_rows('merchant_accounts', '${app_role}');

SELECT lock_rows('gift_cards', '${app_role}');

SELECT lock_rows('gift_card_lots', '${app_role}',
    'SELECT p.merchant_id FROM gift_cards p WHERE p.gift_card_id = gift_card_lots.gift_card_id');

SELECT lock_rows('sealed_codes', '${app_role}',
    'SELECT p.merchant_id FROM gift_cards p WHERE p.gift_card_id = sealed_codes.gift_card_id');

SELECT lock_rows('card_operations', '${app_role}');

SELECT lock_rows('gift_card_activities', '${app_role}',
    'merchant_id',
    'SELECT p.merchant_id FROM gift_cards p WHERE p.gift_card_id = gift_card_activities.gift_card_id');

SELECT lock_rows('code_misses', '${app_role}');

SELECT lock_rows('card_batches', '${app_role}');

SELECT lock_rows('card_deliveries', '${app_role}');

SELECT lock_rows('redemptions', '${app_role}');

-- Also its issuer's: what is on its way back to a card decides whether that may be closed.
SELECT lock_rows('redemption_legs', '${app_role}',
    'SELECT p.merchant_id FROM redemptions p WHERE p.redemption_id = redemption_legs.redemption_id',
    'SELECT p.merchant_id FROM gift_cards p WHERE p.gift_card_id = redemption_legs.gift_card_id');

SELECT lock_rows('redemption_events', '${app_role}',
    'SELECT p.merchant_id FROM redemptions p WHERE p.redemption_id = redemption_events.redemption_id');

SELECT lock_rows('redemption_refunds', '${app_role}', 'merchant_id',
    'SELECT p.merchant_id FROM redemption_legs l JOIN gift_cards p ON p.gift_card_id = l.gift_card_id
      WHERE l.redemption_id = redemption_refunds.redemption_id LIMIT 1');

SELECT lock_rows('redemption_runs', '${app_role}');

SELECT lock_rows('settlement_entries', '${app_role}',
    'merchant_id',
    'issuer_id');

SELECT lock_rows('points_settlements', '${app_role}');

SELECT lock_rows('velocity_counters', '${app_role}');

SELECT lock_rows('offline_allowances', '${app_role}');

SELECT lock_rows('offline_items', '${app_role}');

SELECT lock_rows('rewards', '${app_role}');

SELECT lock_rows('forgotten_holders', '${app_role}');

SELECT lock_rows('card_imports', '${app_role}');

SELECT lock_rows('card_import_parts', '${app_role}',
    'SELECT p.merchant_id FROM card_imports p WHERE p.import_id = card_import_parts.import_id');

SELECT lock_rows('card_import_rows', '${app_role}',
    'SELECT p.merchant_id FROM card_imports p WHERE p.import_id = card_import_rows.import_id');
