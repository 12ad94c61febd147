-- Cards made in bulk, for a printer: without value, their codes sealed until they are fetched, once.
CREATE TABLE card_batches (
    batch_id     uuid        NOT NULL PRIMARY KEY,
    merchant_id  uuid        NOT NULL,
    program_id   uuid        NOT NULL REFERENCES programs,
    state        text        NOT NULL CHECK (state IN ('making', 'ready', 'delivered', 'expired')),
    quantity     integer     NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    made         integer     NOT NULL DEFAULT 0 CHECK (made BETWEEN 0 AND quantity),
    reference    text        CHECK (char_length(reference) BETWEEN 1 AND 255),
    metadata     jsonb,
    last_error   text,
    -- When a maker may take the batch (again); null once all cards are made.
    due_at       timestamptz CHECK ((state = 'making') = (due_at IS NOT NULL)),
    -- The codes are erased then, fetched or not.
    codes_until  timestamptz NOT NULL,
    version      bigint      NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    delivered_at timestamptz
);
CREATE INDEX ix_card_batches_merchant_id_created_at ON card_batches (merchant_id, created_at DESC, batch_id DESC);
CREATE UNIQUE INDEX ix_card_batches_merchant_id_reference ON card_batches (merchant_id, reference) WHERE reference IS NOT NULL;
CREATE INDEX ix_card_batches_due_at ON card_batches (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_card_batches_codes_until ON card_batches (codes_until) WHERE state IN ('making', 'ready');

ALTER TABLE gift_cards ADD COLUMN batch_id uuid REFERENCES card_batches;
CREATE INDEX ix_gift_cards_batch_id ON gift_cards (batch_id, gift_card_id) WHERE batch_id IS NOT NULL;

-- Who may have a sealed code: whoever asked for the card, the printer of its batch, or the one it was sent to.
ALTER TABLE sealed_codes ADD COLUMN purpose text NOT NULL DEFAULT 'hand_over' CHECK (purpose IN ('hand_over', 'batch', 'delivery'));

-- Digital cards on their way to somebody. What the giver wrote is sealed and erased with the code.
CREATE TABLE card_deliveries (
    gift_card_id uuid        NOT NULL PRIMARY KEY REFERENCES gift_cards,
    merchant_id  uuid        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('scheduled', 'sent', 'revoked')),
    deliver_at   timestamptz NOT NULL,
    amount       bigint      NOT NULL CHECK (amount > 0),
    sealed_note  bytea,
    created_at   timestamptz NOT NULL,
    sent_at      timestamptz CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX ix_card_deliveries_deliver_at ON card_deliveries (deliver_at) WHERE state = 'scheduled';

-- The clean-up reads misses by age.
CREATE INDEX ix_code_misses_minute ON code_misses (minute);

GRANT SELECT, INSERT, UPDATE ON card_batches, card_deliveries TO ${app_role};
