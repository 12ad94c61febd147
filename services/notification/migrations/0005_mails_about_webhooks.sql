-- Mails to a merchant whose endpoint was disabled, and to a holder whose card's PIN was tried too often.
ALTER TABLE notifications ADD COLUMN webhook_id uuid;
ALTER TABLE notifications DROP CONSTRAINT notifications_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_to_merchants
    CHECK ((kind IN ('merchant_welcome', 'webhook_failing', 'webhook_gone')) = (gift_card_id IS NULL)) NOT VALID;
ALTER TABLE notifications ADD CONSTRAINT notifications_about_webhooks
    CHECK ((kind IN ('webhook_failing', 'webhook_gone')) = (webhook_id IS NOT NULL)) NOT VALID;
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (kind IN
    ('gift_card_activated', 'gift_card_delivery', 'gift_card_pin_locked', 'merchant_welcome', 'redemption_completed',
     'redemption_refunded', 'webhook_failing', 'webhook_gone')) NOT VALID;
