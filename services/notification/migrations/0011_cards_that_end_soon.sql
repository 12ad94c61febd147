-- A reminder before a card's time ends, and the end that it names.
ALTER TABLE notifications ADD COLUMN expires_at timestamptz;
ALTER TABLE notifications ADD CONSTRAINT notifications_expires_at
    CHECK ((kind = 'card_expiring') = (expires_at IS NOT NULL)) NOT VALID;
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (kind IN
    ('card_expiring', 'gift_card_activated', 'gift_card_delivery', 'gift_card_pin_locked', 'merchant_welcome',
     'redemption_completed', 'redemption_refunded', 'template_test', 'webhook_failing', 'webhook_gone')) NOT VALID;
