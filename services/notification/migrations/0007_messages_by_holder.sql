-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS ix_card_holders_customer_id;

-- What is kept of a person, and is forgotten with it.
CREATE INDEX CONCURRENTLY ix_card_holders_customer_id ON card_holders (customer_id, gift_card_id)
    WHERE customer_id IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_gift_card_id;

CREATE INDEX CONCURRENTLY ix_notifications_gift_card_id ON notifications (gift_card_id, notification_id)
    WHERE gift_card_id IS NOT NULL;
