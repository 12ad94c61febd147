-- Value that came back to where it can not stay: to a card that was replaced or has expired, or to a lot whose time is over.
ALTER TABLE gift_cards ADD COLUMN leftover text CHECK (leftover IN ('release', 'refund'));
CREATE INDEX ix_gift_cards_leftover ON gift_cards (gift_card_id) WHERE leftover IS NOT NULL;
