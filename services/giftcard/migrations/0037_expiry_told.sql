-- The end of a card's time that its holder and merchant were told of ahead: each end once, so one that is moved is told again.
ALTER TABLE gift_cards ADD COLUMN expiry_told timestamptz;
