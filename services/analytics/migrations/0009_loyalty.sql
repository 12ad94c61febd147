-- What moved members' points: one row a movement, as the wallet tells it.
CREATE TABLE loyalty_movements (
    event_id    uuid        PRIMARY KEY,
    merchant_id uuid        NOT NULL,
    program_id  uuid        NOT NULL,
    day         date        NOT NULL,
    kind        text        NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
    points      bigint      NOT NULL,
    pending     bigint      NOT NULL,
    -- Minor units that the books gained or lost as a liability; null, with its currency: it was not told.
    value       bigint      CHECK (abs(value) < 9007199254740992),
    currency    char(3)     CHECK (currency ~ '^[A-Z]{3}$'),
    occurred_at timestamptz NOT NULL,
    CHECK ((value IS NULL) = (currency IS NULL))
);
-- The report reads a merchant's days.
CREATE INDEX ix_loyalty_movements_merchant_id_day ON loyalty_movements (merchant_id, day);

GRANT SELECT, INSERT ON loyalty_movements TO ${app_role};

SELECT lock_rows('loyalty_movements', '${app_role}');
