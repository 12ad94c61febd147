-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS ix_gift_cards_customer_id;

-- What is kept of a person, and is forgotten with it.
CREATE INDEX CONCURRENTLY ix_gift_cards_customer_id ON gift_cards (customer_id, gift_card_id)
    WHERE customer_id IS NOT NULL;
