-- Whose an account is. Null: the merchant's own, open to everybody who may write to its books. Otherwise the service, by its
-- app id, that opened it and alone changes it: what a gift card is worth is not posted past the service that sells it.
-- What was opened before, or is opened by the previous release meanwhile, has none: of those the name tells, and the names
-- are reserved from now on (Books/Owner.cs). So no row is rewritten.
SET LOCAL lock_timeout = '2s';

ALTER TABLE accounts ADD COLUMN owner text;
ALTER TABLE accounts ADD CONSTRAINT accounts_owner_check CHECK (owner ~ '^[a-z][a-z0-9-]{0,39}$') NOT VALID;
