-- Whose an account is. Null: the merchant's own, open to everybody who may write to its books. Otherwise the service, by its
-- app id, that opened it and alone changes it: what a gift card is worth is not posted past the service that sells it.
SET LOCAL lock_timeout = '2s';

ALTER TABLE accounts ADD COLUMN owner text CHECK (owner ~ '^[a-z][a-z0-9-]{0,39}$');

-- Those that were opened before belong to whom their name was made by; the names are reserved from now on (Books/Owner.cs).
UPDATE accounts
   SET owner = 'giftcard'
 WHERE name IN ('clearing', 'platform:fees', 'merchant:payable', 'merchant:promo_expense', 'merchant:receivable',
                'programme:adjustments', 'programme:breakage')
    OR name ~ '^(card:gc|payable:mrc|commission:mrc)_';
