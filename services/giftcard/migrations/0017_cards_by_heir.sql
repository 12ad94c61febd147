-- outside a transaction
-- Whose heir a card is: what is on its way to it keeps it from being closed.
DROP INDEX CONCURRENTLY IF EXISTS ix_gift_cards_replaced_by;

CREATE INDEX CONCURRENTLY ix_gift_cards_replaced_by ON gift_cards (replaced_by) WHERE replaced_by IS NOT NULL;
