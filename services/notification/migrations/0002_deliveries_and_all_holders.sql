-- A payment from several cards is told to each of their holders, and digital cards come by mail.
ALTER TABLE notifications DROP CONSTRAINT notifications_event_id_key;
CREATE UNIQUE INDEX ix_notifications_event_id_gift_card_id ON notifications (event_id, gift_card_id) NULLS NOT DISTINCT;
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (kind IN
    ('gift_card_activated', 'gift_card_delivery', 'merchant_welcome', 'redemption_completed', 'redemption_refunded'));
