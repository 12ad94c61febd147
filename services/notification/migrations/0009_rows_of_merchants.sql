-- outside a transaction
-- The second lock (ADR 0058). What has no merchant of its own is that of what it belongs to.
SELECT lock_rows('notifications', '${app_role}');

SELECT lock_rows('notification_resends', '${app_role}',
    'SELECT p.merchant_id FROM notifications p WHERE p.notification_id = notification_resends.notification_id');

SELECT lock_rows('card_holders', '${app_role}');

SELECT lock_rows('forgotten_holders', '${app_role}');

SELECT lock_rows('merchant_events', '${app_role}');

SELECT lock_rows('event_feeds', '${app_role}');

SELECT lock_rows('webhook_endpoints', '${app_role}');

SELECT lock_rows('webhook_queue', '${app_role}',
    'SELECT p.merchant_id FROM webhook_endpoints p WHERE p.webhook_id = webhook_queue.webhook_id');

SELECT lock_rows('webhook_deliveries', '${app_role}',
    'SELECT p.merchant_id FROM webhook_endpoints p WHERE p.webhook_id = webhook_deliveries.webhook_id');

SELECT lock_rows('webhook_attempts', '${app_role}',
    'SELECT p.merchant_id FROM webhook_endpoints p WHERE p.webhook_id = webhook_attempts.webhook_id');

SELECT lock_rows('notification_templates', '${app_role}');

SELECT lock_rows('notification_settings', '${app_role}');

SELECT lock_rows('notification_recipients', '${app_role}');

SELECT lock_rows('notification_suppressions', '${app_role}');

SELECT lock_rows('notification_counts', '${app_role}');
