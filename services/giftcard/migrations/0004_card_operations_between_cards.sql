-- An operation may take from one card and give to another: neither may have a second one open.
ALTER TABLE card_operations ADD COLUMN other_card_id uuid REFERENCES gift_cards (gift_card_id);
CREATE INDEX ix_card_operations_other_card_id ON card_operations (other_card_id) WHERE state = 'pending' AND other_card_id IS NOT NULL;
-- What each drained account held, so that an expiry can be taken back to the lot it came from.
ALTER TABLE card_operations ADD COLUMN drained jsonb;
CREATE INDEX ix_card_operations_gift_card_id_kind ON card_operations (gift_card_id, kind, created_at);
